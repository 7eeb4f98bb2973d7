//! Texts that people read are plain English: no phrase that is wrong in any context, no sentence that is too long.

use crate::support::documents::{self, read};

/// A reader has to read longer sentences twice.
const MAX_WORDS: usize = 35;

/// Phrases that are wrong in any context, in lower case, and what to write instead.
const BANNED: [(&str, &str); 43] = [
    ("a certain", "name it"),
    ("all in all", "in total"),
    ("anew", "again"),
    ("answer to `metrics`", "can be filtered with `metrics=`"),
    ("answers to `metrics`", "can be filtered with `metrics=`"),
    ("are asked", "are queried"),
    ("as files end", "(as for files)"),
    ("at the least", "at least"),
    ("at the most", "at most"),
    ("cure", "fix"),
    ("cures", "fixes"),
    ("for the sake of", "because of"),
    (
        "from before a reload",
        "old, left over from earlier reloads",
    ),
    ("gets no answer", "gets no response"),
    ("give way", "are closed"),
    ("gives way", "is closed"),
    ("goes on behind", "happens after"),
    ("haproxies", "HAProxy instances"),
    ("haproxys", "HAProxy instances"),
    ("how many there are", "the number of"),
    ("impatient", "with a short timeout"),
    ("is asked", "is queried"),
    ("is told", "is notified"),
    ("knows nothing", "is unaffected"),
    ("knows nothing of", "is unaffected by"),
    ("master's cli", "master socket"),
    ("may not be", "must not be, or cannot be"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("of before", "old, left over from earlier reloads"),
    ("of then", "of that time"),
    ("on end", "without a break"),
    ("processor time", "CPU time"),
    ("remedy", "fix"),
    ("says of itself", "exports about itself"),
    ("so it is", "likewise"),
    ("takes nobody", "write the verb that names the act"),
    ("the floor", "the baseline"),
    ("the gate", "CI"),
    ("the one or the other", "either"),
    ("to be had", "available"),
    ("what came", "name it"),
    ("without a word", "silently"),
];

/// The words of a text, each with the number of its line. Signs of comments and roff are not words.
fn words(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    let words = lines.flat_map(|(at, line)| {
        let words = line.split_whitespace().map(str::to_lowercase);
        words.map(move |word| (at + 1, word))
    });
    words
        .filter(|(_, word)| !matches!(word.as_str(), "//!" | "///" | "//" | "#" | "*" | ".\\\""))
        .collect()
}

/// The banned phrases of a text, broken at the end of a line or not.
fn banned(text: &str) -> Vec<String> {
    let words = words(text);
    let trim = |word: &str| {
        let kept = word.trim_matches(|sign: char| !sign.is_alphanumeric() && sign != '`');
        kept.to_owned()
    };
    let mut found = Vec::new();
    for (phrase, instead) in BANNED {
        let wanted: Vec<&str> = phrase.split(' ').collect();
        for window in words.windows(wanted.len()) {
            let same = |((_, word), wanted): (&(usize, String), &&str)| trim(word) == *wanted;
            if window.iter().zip(&wanted).all(same) {
                found.push(format!(
                    "line {}: {phrase:?}: write {instead:?}",
                    window[0].0
                ));
            }
        }
    }
    found
}

/// The texts of a document in Markdown that are read as a whole: paragraphs, items, headings, cells.
fn passages(text: &str) -> Vec<(usize, String)> {
    let mut passages: Vec<(usize, String)> = Vec::new();
    let (mut in_block, mut open) = (false, false);
    for (at, line) in text.lines().enumerate() {
        let (at, line) = (at + 1, line.trim());
        if line.starts_with("```") {
            in_block = !in_block;
            open = false;
            continue;
        }
        if in_block || line.is_empty() || line.starts_with("<!--") {
            open = false;
            continue;
        }
        if line.starts_with('|') {
            let cells = line.split(" | ").map(|cell| (at, cell.to_owned()));
            passages.extend(cells);
            open = false;
            continue;
        }
        let numbered = line
            .split_once(". ")
            .is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        let begins = line.starts_with(['#', '*']) || numbered;
        match passages.last_mut() {
            Some((_, passage)) if open && !begins => *passage += &format!(" {line}"),
            _ => passages.push((at, line.to_owned())),
        }
        open = !line.starts_with('#');
    }
    passages
}

/// The numbers of words of the sentences of a passage. What is quoted as code is one word.
fn sentences(passage: &str) -> Vec<usize> {
    let parts = passage.split('`').enumerate();
    let prose = parts.map(|(at, part)| if at % 2 == 0 { part } else { "code" });
    let prose: String = prose.collect();
    let mut counts = vec![0];
    for word in prose.split_whitespace() {
        if word.chars().any(char::is_alphanumeric) {
            *counts.last_mut().expect("a count") += 1;
        }
        if word
            .trim_end_matches([')', '*', '"'])
            .ends_with(['.', '?', '!'])
        {
            counts.push(0);
        }
    }
    counts.retain(|count| *count > 0);
    counts
}

fn too_long(text: &str) -> Vec<String> {
    let passages = passages(text).into_iter();
    passages
        .filter(|(_, passage)| sentences(passage).iter().any(|count| *count > MAX_WORDS))
        .map(|(line, passage)| {
            format!("line {line}: a sentence of more than {MAX_WORDS} words: {passage}")
        })
        .collect()
}

/// The text with empty lines for the tables that quote the binary: its texts are held elsewhere.
fn without_quotations(text: &str) -> String {
    let quoted = ["troubleshooting -->"];
    let mut inside = false;
    let lines = text.lines().map(|line| {
        let marked = line.starts_with("<!--") && quoted.iter().any(|mark| line.ends_with(mark));
        inside = marked || (inside && line.starts_with('|'));
        if inside { "" } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn documents_are_plain() {
    let mut wrong = Vec::new();
    let mut texts = documents::all();
    texts.extend(["CHANGELOG.md", "src/architecture.md"].map(str::to_owned));
    for document in texts {
        let text = read(&document);
        let found = banned(&without_quotations(&text));
        let found = found.into_iter().chain(too_long(&text));
        wrong.extend(found.map(|what| format!("{document}, {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The comments and texts of the program, and what is installed beside it. Tests may quote what was wrong.
#[test]
fn sources_are_plain() {
    let mut files = Vec::new();
    files_below("src", &mut files);
    files.push("Makefile".to_owned());
    files.retain(|name| !name.contains("tests"));
    assert!(files.len() > 120, "{} files", files.len());
    let mut wrong = Vec::new();
    for name in files {
        let found = banned(&read(&name)).into_iter();
        wrong.extend(found.map(|what| format!("{name}, {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn files_below(folder: &str, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(documents::path(folder)).expect("read a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{folder}/{}", entry.file_name().to_str().expect("a name"));
        match entry.path().is_dir() {
            true => files_below(&name, files),
            false => files.push(name),
        }
    }
}

#[test]
fn phrases_are_found() {
    assert_eq!(
        banned("the workers of\n//! before a reload"),
        ["line 1: \"of before\": write \"old, left over from earlier reloads\""]
    );
    assert_eq!(banned("Several HAProxys.").len(), 1);
    assert_eq!(banned("secure, a janew, mender, is asking"), [""; 0]);
}

#[test]
fn sentences_are_counted() {
    let text = "# A heading\n\nOne two `three four`.\nFive (six\nseven.) Eight\n\n* item one\n  goes on\n* item two\n\n```\nnot read\n```\n| a b | c. d e |\n";
    let passages = passages(text);
    let counts: Vec<(usize, Vec<usize>)> = passages
        .iter()
        .map(|(line, passage)| (*line, sentences(passage)))
        .collect();
    let want = [
        (1, vec![2]),
        (3, vec![3, 3, 1]),
        (7, vec![4]),
        (9, vec![2]),
        (14, vec![2]),
        (14, vec![1, 2]),
    ];
    assert_eq!(counts, want);
    let long = "word ".repeat(MAX_WORDS + 1);
    assert_eq!(too_long(&long).len(), 1);
    assert_eq!(too_long(&long[5..]).len(), 0);
}
