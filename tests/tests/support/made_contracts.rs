//! Broken contracts that are too large or too strange to be kept as files.

/// A broken contract and what makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    /// What is wrong with it, in the words of a file name.
    pub(crate) name: &'static str,
    /// Makes it.
    pub(crate) bytes: Bytes,
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Made> {
    ALL.iter().map(|(name, bytes)| Made {
        name,
        bytes: *bytes,
    })
}

type Bytes = fn() -> Vec<u8>;

const ALL: &[(&str, Bytes)] = &[
    ("nothing-at-all", Vec::new),
    ("only-blank-lines", || b"\n\n  \n".to_vec()),
    ("larger-than-the-limit", larger_than_the_limit),
    ("nul-byte", || sound_with(b"  # a\0b\n")),
    ("not-utf-8", || sound_with(b"  # caf\xe9\n")),
    ("utf-16", utf_16),
    ("binary", binary),
    ("executable", || {
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0".to_vec()
    }),
    ("byte-order-mark-inside", || {
        sound_with("\u{feff}targets: {}\n".as_bytes())
    }),
    ("byte-order-mark-and-an-error", || {
        let text = String::from_utf8_lossy(&sound_with(b"owner: a\n")).into_owned();
        format!("\u{feff}{text}").into_bytes()
    }),
    ("windows-line-ends-and-an-error", || {
        let text = String::from_utf8_lossy(&sound_with(b"owner: a\n")).into_owned();
        text.replace('\n', "\r\n").into_bytes()
    }),
    ("classic-mac-line-ends", || {
        let text = String::from_utf8_lossy(&sound_with(b"owner: a\n")).into_owned();
        text.replace('\n', "\r").into_bytes()
    }),
    ("control-character", || {
        sound_with(b"  # a\x07b\n  other: {value: \"\x1b[31m\"}\n")
    }),
    ("lists-5000-levels-deep", || {
        sound_with(format!("x-deep: {}{}\n", "[".repeat(5000), "]".repeat(5000)).as_bytes())
    }),
    ("mappings-5000-levels-deep", || {
        sound_with(format!("x-deep: {}1{}\n", "{a: ".repeat(5000), "}".repeat(5000)).as_bytes())
    }),
    ("lines-1000-levels-deep", || {
        let deep: String = (1..1000)
            .map(|level| format!("{}a:\n", " ".repeat(level)))
            .collect();
        sound_with(format!("x-deep:\n{deep}").as_bytes())
    }),
    ("dashes-5000-levels-deep", || {
        sound_with(format!("x-deep:\n  {}a\n", "- ".repeat(5000)).as_bytes())
    }),
    ("alias-bomb-of-nodes", alias_bomb_of_nodes),
    ("alias-bomb-of-text", alias_bomb_of_text),
    ("alias-bomb-of-levels", alias_bomb_of_levels),
    ("one-very-long-name", || {
        sound_with(format!("{}: 1\n", "secrets".repeat(200_000)).as_bytes())
    }),
    ("one-very-long-reference", || {
        sound_with(format!("  url: {{compose: \"${{{}}}\"}}\n", "token".repeat(200_000)).as_bytes())
    }),
    ("one-very-long-condition", || {
        let condition = "true && ".repeat(100_000) + "true";
        sound_with(format!("  other: {{when: \"{condition}\", value: a}}\n").as_bytes())
    }),
    ("conditions-in-a-long-circle", || {
        let last = "conditions:\n  c0: c2999\n".to_owned();
        let all = (1..3000).fold(last, |text, at| text + &format!("  c{at}: c{}\n", at - 1));
        sound_with(all.as_bytes())
    }),
    ("conditions-in-a-long-chain", || {
        let last = "conditions:\n  c0: nowhere\n".to_owned();
        let all = (1..3000).fold(last, |text, at| text + &format!("  c{at}: c{}\n", at - 1));
        sound_with(all.as_bytes())
    }),
    ("many-forbidden-names-and-one-use", || {
        let names = (0..4000).map(|at| {
            format!("  f{at}: {{forbidden: no}}\n  e{at}: {{fields: {{g{at}: {{value: a}}}}}}\n")
        });
        let used = "  used: {fields: {f3999: {value: a}}}\n".to_owned();
        sound_with(names.chain([used]).collect::<String>().as_bytes())
    }),
    ("texts-in-a-long-circle", || {
        let last = "  t0: {compose: \"${t4999}\"}\n".to_owned();
        let all = (1..5000).fold(last, |text, at| {
            text + &format!("  t{at}: {{compose: \"${{t{}}}\"}}\n", at - 1)
        });
        sound_with(all.as_bytes())
    }),
];

fn sound_with(more: &[u8]) -> Vec<u8> {
    let mut contract =
        b"version: 1\nname: shop\nsecrets:\n  token: {generate: {hex: 16}}\n".to_vec();
    contract.extend_from_slice(more);
    contract
}

/// 20 MB of sound lines: it is the size that is wrong.
fn larger_than_the_limit() -> Vec<u8> {
    let mut contract = sound_with(b"");
    for at in 0_usize.. {
        if contract.len() > 20_000_000 {
            break;
        }
        contract.extend_from_slice(format!("  token-{at}: {{generate: {{hex: 16}}}}\n").as_bytes());
    }
    contract
}

fn utf_16() -> Vec<u8> {
    let text = String::from_utf8_lossy(&sound_with(b"")).into_owned();
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// What a generator of random numbers might have left there.
fn binary() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes().first().copied().unwrap_or_default()
    };
    (0..100_000).map(|_| next()).collect()
}

/// "A billion laughs": each list has the one before it ten times.
fn alias_bomb_of_nodes() -> Vec<u8> {
    let mut bomb = "x-a0: &a0 [lol]\n".to_owned();
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("x-a{level}: &a{level} [{below}]\n"));
    }
    sound_with(bomb.as_bytes())
}

/// Few nodes, but each of them is a megabyte.
fn alias_bomb_of_text() -> Vec<u8> {
    let text = "lol".repeat(350_000);
    let aliases = "*text, ".repeat(10_000);
    sound_with(format!("x-text: &text {text}\nx-bomb: [{aliases}]\n").as_bytes())
}

/// Each anchor stands deep inside the next, so that the whole is deeper than any stack.
fn alias_bomb_of_levels() -> Vec<u8> {
    let (open, close) = ("[".repeat(50), "]".repeat(50));
    let mut bomb = format!("x-a0: &a0 {open}{close}\n");
    for level in 1..180 {
        bomb.push_str(&format!(
            "x-a{level}: &a{level} {open}*a{}{close}\n",
            level - 1
        ));
    }
    sound_with(bomb.as_bytes())
}
