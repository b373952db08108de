//! Requests of the API, checked.

use super::chat::Message;
use crate::error::Refusal;
use crate::llama::Sampling;
use serde::Deserialize;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

const MOST_STOPS: usize = 4;
const USUAL_COMPLETION: usize = 16;

/// What all generating requests share.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    pub prompt: Prompt,
    pub max_tokens: Option<usize>,
    pub stops: Vec<String>,
    pub sampling: Sampling,
    pub stream: bool,
    pub stream_usage: bool,
    /// Show the prompt before its completion.
    pub echo: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    Text(String),
    Tokens(Vec<u32>),
    Chat(Vec<Message>),
}

#[derive(Deserialize)]
struct Body {
    prompt: Option<OneOrMany>,
    messages: Option<Vec<RawMessage>>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<i64>,
    stop: Option<OneOrMany>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    echo: Option<bool>,
    n: Option<u32>,
    best_of: Option<u32>,
    logprobs: Option<Value>,
    tools: Option<Value>,
    response_format: Option<Value>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct RawMessage {
    role: String,
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Text(String),
    Texts(Vec<String>),
    Tokens(Vec<u32>),
    TokenLists(Vec<Vec<u32>>),
}

pub fn completion(body: &[u8]) -> Result<Wish, Refusal> {
    let body: Body = parse(body)?;
    let prompt = match &body.prompt {
        Some(OneOrMany::Text(text)) => Prompt::Text(text.clone()),
        Some(OneOrMany::Texts(texts)) if texts.len() == 1 => Prompt::Text(texts[0].clone()),
        Some(OneOrMany::Tokens(tokens)) => Prompt::Tokens(tokens.clone()),
        Some(OneOrMany::TokenLists(lists)) if lists.len() == 1 => Prompt::Tokens(lists[0].clone()),
        Some(_) => return Err(Refusal::bad("one prompt a request, please")),
        None => return Err(Refusal::bad("the field prompt is missing")),
    };
    let mut wish = wish(&body, prompt)?;
    wish.max_tokens = Some(wish.max_tokens.unwrap_or(USUAL_COMPLETION));
    Ok(wish)
}

pub fn chat(body: &[u8]) -> Result<Wish, Refusal> {
    let mut body: Body = parse(body)?;
    let messages = body.messages.take().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| Refusal::bad("the field messages is missing or empty"))?;
    let messages = messages.into_iter().map(message).collect::<Result<_, _>>()?;
    wish(&body, Prompt::Chat(messages))
}

fn message(raw: RawMessage) -> Result<Message, Refusal> {
    if !matches!(raw.role.as_str(), "system" | "developer" | "user" | "assistant") {
        return Err(Refusal::bad("a message's role is system, user or assistant"));
    }
    let content = match raw.content {
        Some(Content::Text(text)) => text,
        Some(Content::Parts(parts)) => parts.into_iter().map(text_of).collect::<Result<_, _>>()?,
        None => return Err(Refusal::bad("a message lacks its content")),
    };
    // The newer name for the same.
    let role = if raw.role == "developer" { "system".into() } else { raw.role };
    Ok(Message { role, content })
}

fn text_of(part: Part) -> Result<String, Refusal> {
    match (part.r#type.as_str(), part.text) {
        ("text", Some(text)) => Ok(text),
        _ => Err(Refusal::bad("message parts other than text are not supported")),
    }
}

fn wish(body: &Body, prompt: Prompt) -> Result<Wish, Refusal> {
    let unsupported = [
        ("n", body.n.is_some_and(|n| n != 1)),
        ("best_of", body.best_of.is_some_and(|n| n != 1)),
        (
            "logprobs",
            body.logprobs.as_ref().is_some_and(|each| *each != Value::Bool(false) && !each.is_null()),
        ),
        ("tools", body.tools.as_ref().is_some_and(|each| !each.is_null())),
        (
            "response_format",
            body.response_format.as_ref().is_some_and(|each| each["type"] != "text" && !each.is_null()),
        ),
    ];
    if let Some((name, _)) = unsupported.iter().find(|(_, asked)| *asked) {
        return Err(Refusal::bad(format!("the field {name} is not supported")));
    }
    let temperature = body.temperature.unwrap_or(1.0);
    let top_p = body.top_p.unwrap_or(1.0);
    if !(0.0..=2.0).contains(&temperature) || !(0.0..=1.0).contains(&top_p) {
        return Err(Refusal::bad("temperature is 0 to 2, top_p is 0 to 1"));
    }
    let seed = body.seed.map_or_else(seed_from_time, i64::cast_unsigned);
    Ok(Wish {
        prompt,
        max_tokens: body.max_completion_tokens.or(body.max_tokens),
        stops: stops(body.stop.as_ref())?,
        sampling: Sampling { temperature, top_p, seed },
        stream: body.stream.unwrap_or(false),
        stream_usage: body.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or(false),
        echo: body.echo.unwrap_or(false),
    })
}

fn stops(stop: Option<&OneOrMany>) -> Result<Vec<String>, Refusal> {
    let stops = match stop {
        None => Vec::new(),
        Some(OneOrMany::Text(text)) => vec![text.clone()],
        Some(OneOrMany::Texts(texts)) => texts.clone(),
        // An empty list has no type of its own.
        Some(OneOrMany::Tokens(tokens)) if tokens.is_empty() => Vec::new(),
        Some(_) => return Err(Refusal::bad("stop is a text or a list of texts")),
    };
    if stops.len() > MOST_STOPS || stops.iter().any(String::is_empty) {
        return Err(Refusal::bad(format!("stop takes up to {MOST_STOPS} texts, none of them empty")));
    }
    Ok(stops)
}

fn seed_from_time() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs().rotate_left(32) ^ u64::from(now.subsec_nanos())
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingWish {
    pub inputs: Vec<Prompt>,
    pub base64: bool,
}

#[derive(Deserialize)]
struct EmbeddingBody {
    input: OneOrMany,
    encoding_format: Option<String>,
    dimensions: Option<Value>,
}

pub fn embedding(body: &[u8]) -> Result<EmbeddingWish, Refusal> {
    let body: EmbeddingBody = parse(body)?;
    if body.dimensions.is_some_and(|each| !each.is_null()) {
        return Err(Refusal::bad("the field dimensions is not supported"));
    }
    let base64 = match body.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(Refusal::bad("encoding_format is float or base64")),
    };
    let inputs = match body.input {
        OneOrMany::Text(text) => vec![Prompt::Text(text)],
        OneOrMany::Texts(texts) => texts.into_iter().map(Prompt::Text).collect(),
        OneOrMany::Tokens(tokens) => vec![Prompt::Tokens(tokens)],
        OneOrMany::TokenLists(lists) => lists.into_iter().map(Prompt::Tokens).collect(),
    };
    Ok(EmbeddingWish { inputs, base64 })
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad(format!("the body is not the JSON expected: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_api() {
        let wish = completion(br#"{"prompt": "x", "seed": 1, "stop": []}"#).unwrap();
        assert_eq!(wish.max_tokens, Some(16));
        assert_eq!(wish.sampling, Sampling { temperature: 1.0, top_p: 1.0, seed: 1 });
        assert!(!wish.stream && wish.stops.is_empty());
    }

    #[test]
    fn what_is_not_supported_is_said() {
        for (body, word) in [
            (r#"{"prompt": "x", "n": 2}"#, "n "),
            (r#"{"prompt": ["x", "y"]}"#, "one prompt"),
            (r#"{"prompt": "x", "temperature": 3}"#, "temperature"),
            (r#"{"prompt": "x", "stop": ["a", "b", "c", "d", "e"]}"#, "stop"),
            (r#"{"prompt": "x", "logprobs": 2}"#, "logprobs"),
            (r#"{"prompt": {"a": 1}}"#, "JSON expected"),
            ("[[[[", "JSON expected"),
        ] {
            let refusal = completion(body.as_bytes()).unwrap_err();
            assert!(refusal.status == 400 && refusal.message.contains(word), "{body}: {refusal}");
        }
        assert!(chat(br#"{"messages": [{"role": "tool", "content": "x"}]}"#).is_err());
        assert!(completion("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn message_parts_are_joined() {
        let body = br#"{"messages": [{"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]}"#;
        let Prompt::Chat(messages) = chat(body).unwrap().prompt else { panic!("no chat") };
        assert_eq!(messages, [Message { role: "system".into(), content: "ab".into() }]);
    }
}
