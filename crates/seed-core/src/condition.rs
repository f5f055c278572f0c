//! `when:` conditions: CEL over facts, the environment's name, and other named conditions.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::{Context, Program};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::condition_words;
use crate::facts::Facts;

/// Longest condition, in bytes.
const MAX_LENGTH: usize = 4096;
/// Deepest nesting of brackets. The parser recurses a dozen times for each, and the stack is finite.
const MAX_DEPTH: usize = 8;
/// Most arithmetic and comparing operators between two `&&` or `||`, which nest to the left without brackets.
const MAX_OPERATORS: usize = 16;
/// Deepest nesting of `all`, `exists` and the like, whose time is the product of their lists.
const MAX_LOOPS: usize = 2;

/// A condition that is well-formed CEL.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    expression: Arc<IdedExpr>,
    uses: Uses,
}

/// What a condition reads.
#[derive(Clone, Debug, Default)]
struct Uses {
    /// Facts it reads.
    facts: BTreeSet<Vec<String>>,
    /// Facts it asks `has()` for.
    asked: BTreeSet<Vec<String>>,
    /// Other names it reads.
    names: BTreeSet<String>,
    /// How deep its loops nest.
    loops: usize,
    /// Loops around what is being read.
    open: usize,
}

/// Why a condition is wrong, or has no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConditionError {
    /// Not CEL.
    #[error("the condition is no CEL expression: {message}")]
    Syntax {
        /// The parser's words.
        message: String,
        /// The place in the condition, in bytes.
        at: usize,
    },
    /// A fact that nobody states.
    #[error("{message}")]
    Fact {
        /// What is missing.
        message: String,
        /// The fact as the condition spells it.
        path: String,
        /// How to write it, when a hyphen was read as a minus.
        hyphen: Option<String>,
    },
    /// A word that is not `config`, `env` or a named condition.
    #[error("`{0}` is neither `config`, `env` nor a named condition")]
    Name(String),
    /// It uses `env`, and there is none.
    #[error("the condition asks for `env`, and no environment is given")]
    Environment,
    /// Not a boolean.
    #[error("the condition gives {found}, not true or false")]
    NotBoolean {
        /// What it gives.
        found: &'static str,
    },
    /// A function that CEL does not have.
    #[error("there is no function `{0}` in conditions")]
    Function(String),
    /// Evaluating it failed.
    #[error("the condition has no answer: {0}")]
    Evaluation(String),
}

/// Facts in the form in which conditions read them.
#[derive(Debug)]
pub struct ConditionFacts<'f> {
    facts: &'f Facts,
    env: Option<&'f str>,
    config: cel::Value,
}

impl<'f> ConditionFacts<'f> {
    /// Prepares facts for any number of conditions.
    pub fn new(facts: &'f Facts, env: Option<&'f str>) -> Result<Self, ConditionError> {
        let config = cel::to_value(Members(facts.as_json()))
            .map_err(|err| ConditionError::Evaluation(err.to_string()))?;
        Ok(Self { facts, env, config })
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl Condition {
    /// Reads a CEL expression.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        if text.len() > MAX_LENGTH {
            let message = format!("it has more than {MAX_LENGTH} characters");
            return Err(ConditionError::Syntax { message, at: 0 });
        }
        if text.trim().is_empty() {
            let message = "it is empty".to_owned();
            return Err(ConditionError::Syntax { message, at: 0 });
        }
        refuse_nesting(text)?;
        let program = Program::compile(text).map_err(|errors| syntax_error(text, &errors))?;
        let expression = program.expression().clone();
        let mut uses = Uses::default();
        uses.walk(&expression, &mut Vec::new());
        if uses.loops > MAX_LOOPS {
            let message = format!("loops nest more than {MAX_LOOPS} deep");
            return Err(ConditionError::Syntax { message, at: 0 });
        }
        Ok(Self {
            text: text.to_owned(),
            expression: Arc::new(expression),
            uses,
        })
    }

    /// The expression as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names it reads besides `config`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.uses.names.iter().map(String::as_str)
    }

    /// Answers the condition. `named` answers another condition by its name.
    ///
    /// Every fact that it mentions must exist, whatever the order of evaluation would skip, unless the condition asks
    /// `has()` for it or for something above it.
    pub fn evaluate(
        &self,
        facts: &ConditionFacts<'_>,
        named: &mut dyn FnMut(&str) -> Result<bool, ConditionError>,
    ) -> Result<bool, ConditionError> {
        self.require_facts(facts.facts)?;
        let mut context = Context::default();
        context.add_variable_from_value("config", facts.config.clone());
        for name in &self.uses.names {
            match (name.as_str(), facts.env) {
                ("env", Some(env)) => context.add_variable_from_value("env", env),
                ("env", None) => return Err(ConditionError::Environment),
                (name, _) => context.add_variable_from_value(name.to_owned(), named(name)?),
            }
        }
        let mut expression = IdedExpr::clone(&self.expression);
        answer_has(&mut expression, facts.facts);
        match context.resolve(&expression) {
            Ok(cel::Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(ConditionError::NotBoolean {
                found: kind_of(&other),
            }),
            Err(cel::ExecutionError::UndeclaredReference(name)) => {
                Err(ConditionError::Function(name.to_string()))
            }
            Err(err) => Err(ConditionError::Evaluation(condition_words::describe(&err))),
        }
    }

    /// Tells whether every fact that it mentions exists.
    pub(crate) fn require_facts(&self, facts: &Facts) -> Result<(), ConditionError> {
        for path in &self.uses.facts {
            let excused = || self.uses.asked.iter().any(|asked| path.starts_with(asked));
            if facts.get(path).is_none() && !excused() {
                return Err(ConditionError::Fact {
                    message: facts.missing(path).to_string(),
                    path: format!("config.{}", path.join(".")),
                    hyphen: self.meant_hyphen(facts, path),
                });
            }
        }
        Ok(())
    }

    /// For `config.features.llm-d`, which CEL reads as a subtraction: the way to write it.
    fn meant_hyphen(&self, facts: &Facts, path: &[String]) -> Option<String> {
        let (last, parents) = path.split_last()?;
        let siblings = facts.get(parents)?.as_object()?;
        let parent = format!("config.{}", parents.join("."));
        siblings
            .keys()
            .find(|key| {
                key.starts_with(&format!("{last}-"))
                    && self.text.contains(&format!("{parent}.{key}"))
            })
            .map(|key| format!("{parent}[\"{key}\"]"))
    }
}

/// Refuses what would exhaust the stack of the parser, or of a walk over what it gives.
fn refuse_nesting(text: &str) -> Result<(), ConditionError> {
    let (mut depth, mut operators) = (0_usize, 0_usize);
    let mut quote = None;
    let mut last = ' ';
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) => quote = (c != open || last == '\\').then_some(open),
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, '&' | '|') => operators = 0,
            (None, '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=') if last != c => operators += 1,
            (None, _) => {}
        }
        let message = if depth > MAX_DEPTH {
            format!("brackets nest more than {MAX_DEPTH} deep")
        } else if operators > MAX_OPERATORS {
            format!("more than {MAX_OPERATORS} operators stand in a row")
        } else {
            last = c;
            continue;
        };
        return Err(ConditionError::Syntax { message, at });
    }
    Ok(())
}

fn syntax_error(text: &str, errors: &cel::ParseErrors) -> ConditionError {
    let Some(first) = errors.errors.first() else {
        return ConditionError::Syntax {
            message: "unknown error".to_owned(),
            at: 0,
        };
    };
    let (line, column) = first.pos;
    let line_start: usize = text
        .split_inclusive('\n')
        .take(usize::try_from(line).unwrap_or(1).saturating_sub(1))
        .map(str::len)
        .sum();
    // Columns count characters, from one.
    let column = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    let rest = text.get(line_start..).unwrap_or_default();
    let offset = rest.char_indices().nth(column).map(|(offset, _)| offset);
    let at = line_start + offset.unwrap_or(rest.len());
    let message = plain_words(first.msg.lines().next().unwrap_or_default());
    ConditionError::Syntax {
        message,
        at: at.min(text.len()),
    }
}

/// The parser's words lists tokens by their names in its grammar.
fn plain_words(message: &str) -> String {
    let message = message.trim_start_matches("Syntax error: ");
    let quoted = |text: &str| {
        let inside = text.split_once('\'').map_or(text, |(_, rest)| rest);
        let end = inside.rfind('\'').unwrap_or(inside.len());
        inside.get(..end).unwrap_or(inside).trim().to_owned()
    };
    let (found, unread) = match message.split_once(" expecting ") {
        Some((found, _)) => (quoted(found), false),
        None => (
            quoted(message),
            message.starts_with("token recognition error"),
        ),
    };
    match found.as_str() {
        "<EOF>" => "it ends too early".to_owned(),
        "=" | "&" | "|" => format!("`{found}` is always written twice"),
        _ if unread || message.contains(" expecting ") => format!("`{found}` cannot stand here"),
        _ => message.to_owned(),
    }
}

impl Uses {
    fn walk(&mut self, node: &IdedExpr, bound: &mut Vec<String>) {
        if let Some((path, asks)) = config_path(&node.expr) {
            if asks {
                self.asked.insert(path);
            } else if !path.is_empty() {
                self.facts.insert(path);
            }
            return;
        }
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => {
                if name != "config" && !bound.contains(name) {
                    self.names.insert(name.clone());
                }
            }
            Expr::Select(select) => self.walk(&select.operand, bound),
            Expr::Call(call) => {
                call.target
                    .iter()
                    .for_each(|target| self.walk(target, bound));
                call.args
                    .iter()
                    .for_each(|argument| self.walk(argument, bound));
            }
            Expr::List(list) => list
                .elements
                .iter()
                .for_each(|element| self.walk(element, bound)),
            Expr::Map(map) => map
                .entries
                .iter()
                .for_each(|entry| self.walk_entry(&entry.expr, bound)),
            Expr::Struct(literal) => {
                literal
                    .entries
                    .iter()
                    .for_each(|entry| self.walk_entry(&entry.expr, bound));
            }
            Expr::Comprehension(loops) => {
                self.walk(&loops.iter_range, bound);
                self.walk(&loops.accu_init, bound);
                let outer = bound.len();
                bound.extend([loops.iter_var.clone(), loops.accu_var.clone()]);
                bound.extend(loops.iter_var2.clone());
                self.open += 1;
                self.loops = self.loops.max(self.open);
                self.walk(&loops.loop_cond, bound);
                self.walk(&loops.loop_step, bound);
                self.walk(&loops.result, bound);
                bound.truncate(outer);
                self.open -= 1;
            }
        }
    }

    fn walk_entry(&mut self, entry: &EntryExpr, bound: &mut Vec<String>) {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.walk(&entry.key, bound);
                self.walk(&entry.value, bound);
            }
            EntryExpr::StructField(field) => self.walk(&field.value, bound),
        }
    }
}

/// The path below `config` that an expression spells, and whether it is inside `has()`.
fn config_path(expr: &Expr) -> Option<(Vec<String>, bool)> {
    match expr {
        Expr::Ident(name) if name == "config" => Some((Vec::new(), false)),
        Expr::Select(select) => match config_path(&select.operand.expr) {
            Some((mut path, false)) => {
                path.push(select.field.clone());
                Some((path, select.test))
            }
            _ => None,
        },
        Expr::Call(CallExpr {
            func_name,
            target: None,
            args,
        }) if func_name == operators::INDEX => {
            let [operand, index] = args.as_slice() else {
                return None;
            };
            let Expr::Literal(LiteralValue::String(key)) = &index.expr else {
                return None;
            };
            match config_path(&operand.expr) {
                Some((mut path, false)) => {
                    path.push(key.inner().to_owned());
                    Some((path, false))
                }
                _ => None,
            }
        }
        Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::Ident(_)
        | Expr::List(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Struct(_)
        | Expr::Unspecified => None,
    }
}

/// Replaces each `has(config.…)` by its answer: CEL itself fails where a parent is missing.
fn answer_has(node: &mut IdedExpr, facts: &Facts) {
    if let Some((path, true)) = config_path(&node.expr) {
        node.expr = Expr::Literal(LiteralValue::Boolean(facts.get(&path).is_some().into()));
        return;
    }
    match &mut node.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
        Expr::Select(select) => answer_has(&mut select.operand, facts),
        Expr::Call(call) => {
            call.target
                .iter_mut()
                .for_each(|target| answer_has(target, facts));
            call.args
                .iter_mut()
                .for_each(|argument| answer_has(argument, facts));
        }
        Expr::List(list) => list
            .elements
            .iter_mut()
            .for_each(|element| answer_has(element, facts)),
        Expr::Map(map) => map
            .entries
            .iter_mut()
            .for_each(|entry| answer_has_entry(&mut entry.expr, facts)),
        Expr::Struct(literal) => {
            literal
                .entries
                .iter_mut()
                .for_each(|entry| answer_has_entry(&mut entry.expr, facts));
        }
        Expr::Comprehension(loops) => {
            for part in [
                &mut loops.iter_range,
                &mut loops.accu_init,
                &mut loops.loop_cond,
                &mut loops.loop_step,
                &mut loops.result,
            ] {
                answer_has(part, facts);
            }
        }
    }
}

fn answer_has_entry(entry: &mut EntryExpr, facts: &Facts) {
    match entry {
        EntryExpr::MapEntry(entry) => {
            answer_has(&mut entry.key, facts);
            answer_has(&mut entry.value, facts);
        }
        EntryExpr::StructField(field) => answer_has(&mut field.value, facts),
    }
}

fn kind_of(value: &cel::Value) -> &'static str {
    match value {
        cel::Value::List(_) => "a list",
        cel::Value::Map(_) => "a mapping",
        cel::Value::Int(_) | cel::Value::UInt(_) | cel::Value::Float(_) => "a number",
        cel::Value::String(_) => "text",
        cel::Value::Null => "null",
        cel::Value::Bool(_) => "a boolean",
        cel::Value::Bytes(_)
        | cel::Value::Function(..)
        | cel::Value::Opaque(_)
        | cel::Value::Struct(_) => "something else",
    }
}

/// Serialises facts with signed numbers: CEL's `==` is strict about the kinds of numbers.
struct Members<'a>(&'a serde_json::Map<String, Value>);
struct Fact<'a>(&'a Value);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, Fact(value))))
    }
}

impl Serialize for Fact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => match number.as_i64() {
                Some(integer) => serializer.serialize_i64(integer),
                None => number.serialize(serializer),
            },
            Value::Object(members) => Members(members).serialize(serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Fact)),
            Value::Bool(_) | Value::Null | Value::String(_) => self.0.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: &str = "
features: {egress: false, n8n: true, llm-d: false}
dns: {automate: true, provider: cloudflare}
count: 3
";

    fn evaluate(text: &str) -> Result<bool, String> {
        let facts = Facts::parse(FACTS).unwrap();
        let facts = ConditionFacts::new(&facts, Some("ai-dev")).unwrap();
        let mut named = |name: &str| match name {
            "identity" => Ok(true),
            name => Err(ConditionError::Name(name.to_owned())),
        };
        Condition::parse(text)
            .and_then(|c| c.evaluate(&facts, &mut named))
            .map_err(|err| err.to_string())
    }

    #[test]
    fn conditions_read_facts_names_and_the_environment() {
        for (text, answer) in [
            ("config.features.egress", false),
            (
                "config.dns.automate && config.dns.provider == \"cloudflare\"",
                true,
            ),
            ("config.features[\"llm-d\"]", false),
            ("identity && env == 'ai-dev'", true),
            ("env.startsWith('ai-')", true),
            ("config.count == 3 && config.count > 2", true),
            ("has(config.features.nothing)", false),
            ("has(config.nothing.at.all)", false),
            ("has(config.nothing) && config.nothing.here", false),
            ("has(config.dns) ? config.dns.automate : false", true),
            ("['a', 'b'].exists(x, x == config.dns.provider)", false),
            ("!config.features.egress", true),
            ("'llm-d' in config.features", true),
        ] {
            assert_eq!(evaluate(text), Ok(answer), "{text}");
        }
    }

    #[test]
    fn a_fact_that_nobody_states_is_an_error_wherever_it_stands() {
        for text in [
            "config.features.n8n || config.features.nope",
            "config.features.egress && config.features.nope",
        ] {
            assert_eq!(
                evaluate(text).unwrap_err(),
                "`config.features.nope` is in no facts file and not among the defaults",
                "{text}"
            );
        }
    }

    #[test]
    fn a_hyphen_that_was_read_as_a_minus_is_explained() {
        let facts = Facts::parse(FACTS).unwrap();
        let facts = ConditionFacts::new(&facts, None).unwrap();
        let condition = Condition::parse("config.features.llm-d").unwrap();
        let err = condition.evaluate(&facts, &mut |_| Ok(true)).unwrap_err();
        assert!(
            matches!(&err, ConditionError::Fact { hyphen: Some(hint), .. } if hint == "config.features[\"llm-d\"]"),
            "{err:?}"
        );
    }

    #[test]
    fn what_is_no_boolean_or_no_cel_is_refused() {
        assert_eq!(
            evaluate("config.count").unwrap_err(),
            "the condition gives a number, not true or false"
        );
        assert_eq!(
            evaluate("nope").unwrap_err(),
            "`nope` is neither `config`, `env` nor a named condition"
        );
        assert!(matches!(
            Condition::parse("config.a &&"),
            Err(ConditionError::Syntax { .. })
        ));
        assert!(matches!(
            Condition::parse(&"(".repeat(5000)),
            Err(ConditionError::Syntax { .. })
        ));
        assert!(matches!(
            Condition::parse(&"!".repeat(4000)),
            Err(ConditionError::Syntax { .. }) | Ok(_)
        ));
    }
}
