//! Answers of the API, as JSON.

use super::generate::{Finish, Outcome};
use base64::Engine;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Which of the two generating endpoints answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Completion,
    Chat,
}

/// What all pieces of one answer have in common.
pub struct Answer<'a> {
    pub kind: Kind,
    pub id: String,
    pub model: &'a str,
    pub created: u64,
}

impl<'a> Answer<'a> {
    pub fn new(kind: Kind, model: &'a str, number: u64) -> Self {
        let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let prefix = if kind == Kind::Chat { "chatcmpl" } else { "cmpl" };
        Self {
            kind,
            id: format!("{prefix}-{:x}-{number}", created.as_millis()),
            model,
            created: created.as_secs(),
        }
    }

    pub fn whole(&self, text: &str, outcome: &Outcome) -> Value {
        let finish = outcome.finish.name();
        let choice = match self.kind {
            Kind::Chat => {
                json!({ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": finish })
            }
            Kind::Completion => {
                json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": finish })
            }
        };
        let object = if self.kind == Kind::Chat { "chat.completion" } else { "text_completion" };
        let mut answer = self.frame(object, &json!([choice]));
        answer["usage"] = usage(outcome);
        answer
    }

    pub fn piece(&self, text: &str) -> Value {
        self.chunk(&json!({ "content": text }), text, None)
    }

    /// The first piece of a chat says who speaks.
    pub fn opening(&self) -> Option<Value> {
        (self.kind == Kind::Chat)
            .then(|| self.chunk(&json!({ "role": "assistant", "content": "" }), "", None))
    }

    pub fn ending(&self, finish: Finish) -> Value {
        self.chunk(&json!({}), "", Some(finish.name()))
    }

    pub fn usage_piece(&self, outcome: &Outcome) -> Value {
        let mut answer = self.frame(self.chunk_object(), &json!([]));
        answer["usage"] = usage(outcome);
        answer
    }

    fn chunk(&self, delta: &Value, text: &str, finish: Option<&str>) -> Value {
        let choice = match self.kind {
            Kind::Chat => json!({ "index": 0, "delta": delta, "finish_reason": finish }),
            Kind::Completion => {
                json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": finish })
            }
        };
        self.frame(self.chunk_object(), &json!([choice]))
    }

    fn chunk_object(&self) -> &'static str {
        if self.kind == Kind::Chat { "chat.completion.chunk" } else { "text_completion" }
    }

    fn frame(&self, object: &str, choices: &Value) -> Value {
        json!({ "id": self.id, "object": object, "created": self.created, "model": self.model, "choices": choices })
    }
}

fn usage(outcome: &Outcome) -> Value {
    let generation = &outcome.generation;
    json!({
        "prompt_tokens": generation.prompt_tokens,
        "completion_tokens": generation.completion_tokens,
        "total_tokens": generation.prompt_tokens + generation.completion_tokens,
    })
}

pub fn embeddings(model: &str, vectors: &[Vec<f32>], tokens: usize, base64: bool) -> Value {
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| json!({ "object": "embedding", "index": index, "embedding": embedding(vector, base64) }))
        .collect();
    json!({
        "object": "list",
        "model": model,
        "data": data,
        "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
    })
}

fn embedding(vector: &[f32], base64: bool) -> Value {
    if !base64 {
        return json!(vector);
    }
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    Value::String(base64::engine::general_purpose::STANDARD.encode(bytes))
}
