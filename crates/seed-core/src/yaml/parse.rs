//! From text to tree. Refuses what would be read differently by different readers, and what could exhaust memory.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Tag};

use super::node::{Node, NodeKind, Scalar};
use crate::diagnostic::{Diagnostic, Span};

/// How much a text may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest text, in bytes.
    pub bytes: usize,
    /// Deepest nesting.
    pub depth: usize,
    /// Most nodes after aliases are expanded.
    pub nodes: usize,
}

/// What to do about text that was read as a tag.
const BANG: &str = "put quotes around text that begins with `!`";

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 8 << 20,
            depth: 64,
            nodes: 1_000_000,
        }
    }
}

/// Reads one YAML document. An empty text is an empty mapping.
///
/// Tags, duplicate keys, further documents, keys that are not scalars, and aliases that expand beyond `limits` are
/// errors. `<<` merges, and the keys beside it win.
pub fn parse(source: &str, limits: Limits) -> Result<Node, Diagnostic> {
    parse_as(source, limits, Manner::Open)
}

/// Reads a YAML document that may be none of the reader's business: no message quotes any of it.
pub fn parse_hidden(source: &str, limits: Limits) -> Result<Node, Diagnostic> {
    parse_as(source, limits, Manner::Hidden)
}

/// Reads a YAML document that holds secret values: no message quotes any of it.
///
/// Anchors and aliases are errors too: text that begins with `&` or `*` and has no quotes would be read as one of them.
pub fn parse_unseen(source: &str, limits: Limits) -> Result<Node, Diagnostic> {
    parse_as(source, limits, Manner::Unseen)
}

/// How much of a text its reader may see.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Manner {
    Hidden,
    Open,
    Unseen,
}

fn parse_as(source: &str, limits: Limits, manner: Manner) -> Result<Node, Diagnostic> {
    if source.len() > limits.bytes {
        return Err(Diagnostic::general(format!(
            "the file has {} bytes; at most {} are read",
            source.len(),
            limits.bytes
        )));
    }
    if let Some(at) = source.find('\0') {
        return Err(
            Diagnostic::error("the file has a NUL byte", Span::new(at, at + 1))
                .help("YAML is UTF-8 text without such bytes"),
        );
    }
    let mut options = Options::default();
    options.emit_comments = false;
    let mut reader = Reader {
        source,
        limits,
        manner,
        parser: Parser::new_from_str_with_options(source, options),
        anchors: BTreeMap::new(),
        nodes: 0,
        repeated: 0,
    };
    reader.document()
}

struct Reader<'s> {
    source: &'s str,
    limits: Limits,
    manner: Manner,
    parser: Parser<'s, granit_parser::StrInput<'s>>,
    anchors: BTreeMap<usize, Anchor>,
    nodes: usize,
    /// Bytes of text that aliases have repeated.
    repeated: usize,
}

/// What aliases repeat, and what each of them costs.
struct Anchor {
    node: Node,
    nodes: usize,
    levels: usize,
    bytes: usize,
}

type Positioned<'s> = (Event<'s>, Span);

impl<'s> Reader<'s> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser may add events; what is not known here is refused"
    )]
    fn document(&mut self) -> Result<Node, Diagnostic> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(
                        Diagnostic::error("the file has more than one document", span)
                            .help("remove everything from the second `---` on"),
                    );
                }
                Event::DocumentStart(..) | Event::DocumentEnd | Event::StreamStart => {}
                event => root = Some(self.node((event, span), 0)?),
            }
        }
        Ok(root.unwrap_or(Node {
            span: Span::default(),
            kind: NodeKind::Mapping(Vec::new()),
        }))
    }

    fn next(&mut self) -> Result<Positioned<'s>, Diagnostic> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.span(&span))),
            Some(Err(err)) => Err(self.scan_error(&err)),
            None => Ok((
                Event::StreamEnd,
                Span::new(self.source.len(), self.source.len()),
            )),
        }
    }

    fn span(&self, span: &granit_parser::Span) -> Span {
        let offset = |at: Option<usize>| at.unwrap_or(self.source.len()).min(self.source.len());
        let (start, end) = (
            offset(span.start.byte_offset()),
            offset(span.end.byte_offset()),
        );
        let text = self.source.get(start..end).unwrap_or_default();
        Span::new(start, start + text.trim_end().len())
    }

    fn scan_error(&self, err: &ScanError) -> Diagnostic {
        let at = err
            .marker()
            .byte_offset()
            .unwrap_or(self.source.len())
            .min(self.source.len());
        let line_start = self
            .source
            .get(..at)
            .and_then(|s| s.rfind('\n'))
            .map_or(0, |i| i + 1);
        let line = self
            .source
            .get(line_start..)
            .and_then(|s| s.lines().next())
            .unwrap_or_default();
        let (mut message, mut help) = super::words::describe(err.kind());
        let found = self.source.get(at..).and_then(|rest| rest.chars().next());
        let control = found.is_some_and(|c| c.is_control() && !c.is_ascii_whitespace());
        if control {
            "a control character stands here".clone_into(&mut message);
            help =
                Some("remove it, or write it as an escape inside double quotes, such as `\\x07`");
        }
        let before = self.source.get(..line_start).unwrap_or_default();
        let place = Span::new(at, at + first_character(self.source, at));
        let diagnostic = Diagnostic::error(format!("the YAML is broken: {message}"), place);
        if unquoted_reference_in_flow(line) && !control {
            diagnostic.help("inside `{ }` and `[ ]` put quotes around it: `\"${…}\"`")
        } else if line.trim_start_matches(' ').starts_with('\t') {
            diagnostic.help("YAML is indented with spaces, not tabs")
        } else if let Some(key) = key_without_blank(line).filter(|_| self.manner == Manner::Open) {
            diagnostic.help(format!("a blank is missing behind the `:` of `{key}:`"))
        } else if let Some(text) =
            text_above(err.kind(), before).filter(|_| self.manner == Manner::Open)
        {
            diagnostic.help(format!(
                "the line above has no `:`; write `{text}:` if it is a key, or put quotes around what spans lines"
            ))
        } else if let Some(help) = help {
            diagnostic.help(help)
        } else {
            diagnostic
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser may add events; what is not known here is refused"
    )]
    fn node(&mut self, (event, span): Positioned<'s>, depth: usize) -> Result<Node, Diagnostic> {
        if depth > self.limits.depth {
            return Err(self.too_deep(span));
        }
        self.count(1, span)?;
        let before = self.nodes;
        let (anchor, tag, kind) = match event {
            Event::Alias(_) if self.manner == Manner::Unseen => return Err(refused_name(span)),
            Event::Alias(id) => return self.alias(id, depth, span),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                (
                    anchor,
                    tag,
                    NodeKind::Scalar(Scalar {
                        text: text.into_owned(),
                        plain,
                        from_fact: false,
                    }),
                )
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span)?;
                (anchor, None, self.sequence(depth)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span)?;
                (anchor, None, self.mapping(depth)?)
            }
            event => {
                return Err(Diagnostic::error(
                    format!("the YAML is broken: unexpected {}", name_of(&event)),
                    span,
                ));
            }
        };
        self.refuse_tag(tag.as_deref(), span)?;
        let node = Node { span, kind };
        if anchor != 0 && self.manner == Manner::Unseen {
            return Err(refused_name(span));
        }
        if anchor != 0 {
            let (levels, bytes) = measure(&node);
            let anchored = Anchor {
                node: node.clone(),
                nodes: self.nodes - before + 1,
                levels,
                bytes,
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, depth: usize, span: Span) -> Result<Node, Diagnostic> {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(Diagnostic::error("the alias refers to itself", span)
                .help("take the alias out of what its anchor stands for"));
        };
        let (nodes, levels) = (anchor.nodes, anchor.levels);
        self.repeated = self.repeated.saturating_add(anchor.bytes);
        if self.repeated > self.limits.bytes {
            let message = format!(
                "aliases repeat more than {} bytes of text",
                self.limits.bytes
            );
            return Err(Diagnostic::error(message, span).help("use fewer aliases"));
        }
        if depth + levels > self.limits.depth {
            return Err(self.too_deep(span).help("use fewer aliases"));
        }
        self.count(nodes, span)?;
        let repeated = self.anchors.get(&id).map(|anchor| anchor.node.clone());
        repeated.ok_or_else(|| Diagnostic::error("the alias has no anchor", span))
    }

    fn too_deep(&self, span: Span) -> Diagnostic {
        let message = format!("nested more than {} levels deep", self.limits.depth);
        Diagnostic::error(message, span)
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), Diagnostic> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > self.limits.nodes {
            let message = format!("the file expands to more than {} nodes", self.limits.nodes);
            return Err(Diagnostic::error(message, span).help("use fewer aliases"));
        }
        Ok(())
    }

    fn sequence(&mut self, depth: usize) -> Result<NodeKind, Diagnostic> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(NodeKind::Sequence(items)),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<NodeKind, Diagnostic> {
        let mut pairs: Vec<(Node, Node)> = Vec::new();
        let mut places: BTreeMap<String, Span> = BTreeMap::new();
        let mut merged: Vec<(Span, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = self.node((event, span), depth + 1)?;
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            let Some(scalar) = key.as_scalar() else {
                return Err(Diagnostic::error("a key must be plain text", key.span)
                    .help("put quotes around a value that begins with `${`, `{` or `[`"));
            };
            if scalar.plain && scalar.text == "<<" {
                merged.push((key.span, value));
                continue;
            }
            if let Some(first) = places.insert(scalar.text.clone(), key.span) {
                let message = if self.manner == Manner::Open {
                    format!("the key `{}` is written twice", scalar.text)
                } else {
                    "a key is written twice".to_owned()
                };
                return Err(
                    Diagnostic::error(message, key.span).context(first, "first written here")
                );
            }
            pairs.push((key, value));
        }
        for (place, node) in merged {
            merge(&mut pairs, &mut places, node, place)?;
        }
        Ok(NodeKind::Mapping(pairs))
    }

    /// The place of a tag is not in its event, so it is looked for before what it stands at.
    fn refuse_tag(&self, tag: Option<&Tag>, span: Span) -> Result<(), Diagnostic> {
        if tag.is_none() {
            return Ok(());
        }
        if self.manner != Manner::Open {
            let message = "a YAML tag is not allowed here";
            return Err(Diagnostic::error(message, span).help(BANG));
        }
        let before = self.source.get(..span.start).unwrap_or_default().trim_end();
        let from = before
            .rfind([' ', '\n', '[', '{', ','])
            .map_or(0, |at| at + 1);
        let from = before
            .get(from..)
            .and_then(|word| word.find('!'))
            .map_or(span.start, |at| from + at);
        let place = Span::new(from, before.len().max(from));
        let written = self.source.get(place.start..place.end).unwrap_or_default();
        let diagnostic =
            Diagnostic::error(format!("the YAML tag `{written}` is not allowed"), place);
        Err(if written.starts_with("!!") {
            diagnostic.help("remove it; put quotes around what must be text")
        } else {
            diagnostic.help(format!("{BANG}; in a condition write `!(…)` inside quotes"))
        })
    }
}

/// Lays a mapping, or several, under the pairs; `places` has the keys that are there.
fn merge(
    pairs: &mut Vec<(Node, Node)>,
    places: &mut BTreeMap<String, Span>,
    node: Node,
    place: Span,
) -> Result<(), Diagnostic> {
    match node.kind {
        NodeKind::Mapping(more) => {
            for (key, value) in more {
                let name = key.text().unwrap_or_default().to_owned();
                if let Entry::Vacant(place) = places.entry(name) {
                    place.insert(key.span);
                    pairs.push((key, value));
                }
            }
            Ok(())
        }
        NodeKind::Sequence(items) => items
            .into_iter()
            .try_for_each(|item| merge(pairs, places, item, place)),
        NodeKind::Scalar(_) => Err(Diagnostic::error(
            "`<<` merges a mapping or a list of mappings",
            place,
        )),
    }
}

fn refused_name(span: Span) -> Diagnostic {
    Diagnostic::error("anchors and aliases are not allowed here", span)
        .help("put quotes around text that begins with `&` or `*`")
}

/// How many levels of lists and mappings are in a node, and how many bytes of text.
fn measure(node: &Node) -> (usize, usize) {
    let deepest = |inner: (usize, usize), (levels, bytes): (usize, usize)| {
        (inner.0.max(levels), inner.1.saturating_add(bytes))
    };
    let (inner, bytes) = match &node.kind {
        NodeKind::Scalar(scalar) => return (0, scalar.text.len()),
        NodeKind::Sequence(items) => items.iter().map(measure).fold((0, 0), deepest),
        NodeKind::Mapping(pairs) => pairs
            .iter()
            .flat_map(|(key, value)| [measure(key), measure(value)])
            .fold((0, 0), deepest),
    };
    (inner + 1, bytes)
}

/// The key in `key:{…}`, which is one text to YAML.
fn key_without_blank(line: &str) -> Option<&str> {
    let at = [":{", ":[", ":\""]
        .iter()
        .filter_map(|glued| line.find(glued))
        .min()?;
    let key = line.get(..at)?.trim_start().trim_start_matches("- ");
    let word = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    (!key.is_empty() && key.chars().all(word)).then_some(key)
}

/// The line before the first `:` that YAML does not expect, when it is a text that goes on there.
fn text_above<'s>(kind: &ErrorKind, before: &'s str) -> Option<&'s str> {
    let line = before.lines().next_back()?.trim();
    let lacks = !line.is_empty() && !line.contains(':') && !line.starts_with(['#', '-', '"', '\'']);
    (matches!(kind, ErrorKind::MappingValueNotAllowed) && lacks).then_some(line)
}

fn first_character(source: &str, at: usize) -> usize {
    let next = source.get(at..).and_then(|rest| rest.chars().next());
    next.map_or(0, char::len_utf8)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser may add events; this only names them"
)]
fn name_of(event: &Event<'_>) -> &'static str {
    match event {
        Event::MappingEnd => "end of a mapping",
        Event::SequenceEnd => "end of a list",
        Event::DocumentEnd | Event::StreamEnd => "end of the file",
        _ => "content",
    }
}

fn unquoted_reference_in_flow(line: &str) -> bool {
    line.match_indices("${").any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let opens = before.matches(['{', '[']).count() > before.matches(['}', ']']).count();
        let quotes = before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1;
        opens && !quotes
    })
}
