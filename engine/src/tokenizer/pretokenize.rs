//! Text into words before byte-pair encoding. Each model family has a regular expression for it;
//! these few are matched by hand, which spares the module a regex engine with its tables.
//!
//! GPT-2:   `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
//! llama 3: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
//!           ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
//! qwen 2:  as llama 3, but `\p{N}` alone.

use crate::error::StartError;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    Gpt2,
    /// Most digits in a word.
    Llama3(usize),
}

impl Pattern {
    /// By `tokenizer.ggml.pre`.
    pub fn named(name: &str) -> Result<Self, StartError> {
        match name {
            "default" | "gpt-2" | "gpt2" => Ok(Self::Gpt2),
            "llama3" | "llama-v3" | "llama-bpe" => Ok(Self::Llama3(3)),
            "qwen2" | "deepseek-r1-qwen" => Ok(Self::Llama3(1)),
            other => Err(StartError::new(
                format!("the pre-tokenizer {} is not supported", other.escape_debug()),
                "Supported: gpt-2, llama-bpe and qwen2",
            )),
        }
    }

    pub fn takes_whole_words(name: &str) -> bool {
        matches!(name, "llama3" | "llama-v3" | "llama-bpe")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Number,
    /// White space that is no line end.
    Space,
    LineEnd,
    Other,
}

fn class(each: char) -> Class {
    if each == '\r' || each == '\n' {
        return Class::LineEnd;
    }
    if each.is_whitespace() {
        return Class::Space;
    }
    match each.general_category_group() {
        GeneralCategoryGroup::Letter => Class::Letter,
        GeneralCategoryGroup::Number => Class::Number,
        _ => Class::Other,
    }
}

/// The words of a text; joined, they are the text.
pub fn split(pattern: Pattern, text: &str) -> Vec<&str> {
    let characters: Vec<(usize, char, Class)> =
        text.char_indices().map(|(at, each)| (at, each, class(each))).collect();
    let mut words = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let length = word(pattern, &characters[at..]).max(1);
        let begin = characters[at].0;
        at += length;
        let end = characters.get(at).map_or(text.len(), |(end, _, _)| *end);
        words.push(&text[begin..end]);
    }
    words
}

/// How many characters the next word has.
fn word(pattern: Pattern, rest: &[(usize, char, Class)]) -> usize {
    let class_at = |at: usize| rest.get(at).map(|each| each.2);
    let run = |from: usize, wanted: &dyn Fn(Class) -> bool| {
        rest[from.min(rest.len())..].iter().take_while(|each| wanted(each.2)).count()
    };
    let is_white = |each: Class| matches!(each, Class::Space | Class::LineEnd);
    let after_space = usize::from(rest[0].1 == ' ');

    let contraction = contraction(rest, matches!(pattern, Pattern::Llama3(_)));
    if contraction > 0 {
        return contraction;
    }
    match pattern {
        Pattern::Gpt2 => {
            for wanted in [Class::Letter, Class::Number, Class::Other] {
                let length = run(after_space, &|each| each == wanted);
                if length > 0 {
                    return after_space + length;
                }
            }
        }
        Pattern::Llama3(digits) => {
            let lead = usize::from(matches!(class_at(0), Some(Class::Space | Class::Other)));
            let letters = run(lead, &|each| each == Class::Letter);
            if letters > 0 {
                return lead + letters;
            }
            let numbers = run(0, &|each| each == Class::Number);
            if numbers > 0 {
                return numbers.min(digits);
            }
            let others = run(after_space, &|each| each == Class::Other);
            if others > 0 {
                let end = after_space + others;
                return end + run(end, &|each| each == Class::LineEnd);
            }
            let white = run(0, &is_white);
            if let Some(last) = rest[..white].iter().rposition(|each| each.2 == Class::LineEnd) {
                return last + 1;
            }
        }
    }
    let white = run(0, &is_white);
    // The last space of several belongs to the word that follows.
    if white > 1 && white < rest.len() { white - 1 } else { white }
}

/// Length of an English contraction, or 0.
fn contraction(rest: &[(usize, char, Class)], any_case: bool) -> usize {
    if rest[0].1 != '\'' {
        return 0;
    }
    let letter =
        |at: usize| rest.get(at).map(|each| if any_case { each.1.to_ascii_lowercase() } else { each.1 });
    match (letter(1), letter(2)) {
        (Some('s' | 't' | 'm' | 'd'), _) => 2,
        (Some('r' | 'v'), Some('e')) | (Some('l'), Some('l')) => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_expressions() {
        let text = "I'LL pay $12345 now!\n\n  it's 中文  ok ";
        assert_eq!(
            split(Pattern::Gpt2, text),
            [
                "I", "'", "LL", " pay", " $", "12345", " now", "!", "\n\n ", " it", "'s", " 中文", " ",
                " ok", " "
            ]
        );
        assert_eq!(
            split(Pattern::Llama3(3), text),
            [
                "I", "'LL", " pay", " $", "123", "45", " now", "!\n\n", " ", " it", "'s", " 中文", " ",
                " ok", " "
            ]
        );
        assert_eq!(split(Pattern::Llama3(1), "a12 \n b"), ["a", "1", "2", " \n", " b"]);
        assert_eq!(split(Pattern::Llama3(3), "#tag (x) \t\ty"), ["#tag", " (", "x", ")", " \t", "\ty"]);
    }
}
