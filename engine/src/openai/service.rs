//! The endpoints: from a request's bytes to its answer.

use super::chat::Template;
use super::generate::{Listener, generate};
use super::render::{Answer, Kind, embeddings};
use super::request::{self, Prompt, Wish};
use crate::error::{Refusal, StartError};
use crate::http::{Request, Response};
use crate::llama::{Loaded, Session, Stopped};
use crate::metrics::Generation;
use crate::routes::refused;
use crate::service::{Flow, Reply, Service};
use crate::tokenizer::{Segment, Tokenizer};
use serde_json::{Value, json};

const COMPLETIONS: &str = "/v1/completions";
const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";

/// A Llama-family model behind the API.
pub struct Llama {
    name: String,
    session: Session,
    tokenizer: Tokenizer,
    template: Option<Template>,
    answered: u64,
}

impl Llama {
    /// `template`: by name, else the one that the file names.
    pub fn new(name: &str, loaded: Loaded, template: Option<&str>) -> Result<Self, StartError> {
        let template = match template {
            None => loaded.chat_template.as_deref().and_then(Template::recognise),
            Some(wanted) => Some(
                Template::named(wanted)
                    .ok_or_else(|| StartError::usage("--chat-template is llama-2, llama-3 or chatml"))?,
            ),
        };
        let Loaded { session, tokenizer, .. } = loaded;
        Ok(Self { name: name.to_owned(), session, tokenizer, template, answered: 0 })
    }

    /// One token through the whole model, so that the first request does not find it cold.
    pub fn warm_up(&mut self) {
        let mut never_stop = || Flow::Continue(());
        // It cannot be stopped, and what it says does not matter.
        let _ = self.session.embed(&[0], &mut never_stop);
    }

    pub fn description(&self) -> Value {
        let config = &self.session.config;
        json!({
            "model": self.name,
            "architecture": config.architecture,
            "layers": config.layers,
            "width": config.width,
            "vocabulary": config.vocabulary,
            "context": self.session.context,
            "chat_template": self.template.map(Template::name),
        })
    }

    fn generating(
        &mut self,
        kind: Kind,
        body: &[u8],
        reply: &mut dyn Reply,
    ) -> Result<Result<(), Stopped>, Refusal> {
        let wish = if kind == Kind::Chat { request::chat(body)? } else { request::completion(body)? };
        let prompt = self.tokens(&wish.prompt)?;
        self.answered += 1;
        let answer = Answer::new(kind, &self.name, self.answered);
        let echo = match &wish.prompt {
            Prompt::Text(text) if wish.echo => text.clone(),
            _ => String::new(),
        };
        if wish.stream {
            return Ok(stream(&mut self.session, &self.tokenizer, &prompt, &wish, &answer, &echo, reply));
        }
        let mut collected = Collected { text: echo, reply };
        let outcome = match generate(&mut self.session, &self.tokenizer, &prompt, &wish, &mut collected) {
            Ok(outcome) => outcome,
            Err(stopped) => return Ok(Err(stopped)),
        };
        let Collected { text, reply } = collected;
        reply.generated(outcome.generation);
        reply.send(Response::json(200, &answer.whole(&text, &outcome)));
        Ok(Ok(()))
    }

    fn embedding(&mut self, body: &[u8], reply: &mut dyn Reply) -> Result<Result<(), Stopped>, Refusal> {
        let wish = request::embedding(body)?;
        let prompts = wish.inputs.iter().map(|input| self.tokens(input)).collect::<Result<Vec<_>, _>>()?;
        let tokens = prompts.iter().map(Vec::len).sum();
        let mut vectors = Vec::new();
        for prompt in &prompts {
            match self.session.embed(prompt, &mut || reply.tick()) {
                Ok(vector) => vectors.push(vector),
                Err(stopped) => return Ok(Err(stopped)),
            }
        }
        reply.generated(Generation { prompt_tokens: tokens as u64, ..Generation::default() });
        reply.send(Response::json(200, &embeddings(&self.name, &vectors, tokens, wish.base64)));
        Ok(Ok(()))
    }

    fn tokens(&self, prompt: &Prompt) -> Result<Vec<u32>, Refusal> {
        let tokens = match prompt {
            Prompt::Text(text) => self.tokenizer.encode(&[Segment::Markup(text.clone())]),
            Prompt::Tokens(tokens) => tokens.clone(),
            Prompt::Chat(messages) => {
                let template = self.template.ok_or_else(|| {
                    Refusal::bad("the model has no chat template that is known; start with --chat-template")
                })?;
                self.tokenizer.encode(&template.render(messages))
            }
        };
        let vocabulary = self.tokenizer.vocabulary();
        if let Some(wrong) = tokens.iter().find(|token| **token as usize >= vocabulary) {
            return Err(Refusal::bad(format!("token {wrong} is outside the vocabulary of {vocabulary}")));
        }
        if tokens.is_empty() {
            return Err(Refusal::bad("the prompt is empty"));
        }
        if tokens.len() >= self.session.context {
            return Err(Refusal::bad(format!(
                "the prompt has {} tokens, the context {} (--context)",
                tokens.len(),
                self.session.context
            )));
        }
        Ok(tokens)
    }
}

impl Service for Llama {
    fn pages(&self) -> Vec<(String, Value)> {
        let model = json!({ "id": self.name, "object": "model", "created": 0, "owned_by": "local" });
        vec![
            ("/v1/models".into(), json!({ "object": "list", "data": [model] })),
            (format!("/v1/models/{}", self.name), model),
        ]
    }

    fn work_paths(&self) -> Vec<String> {
        [COMPLETIONS, CHAT, EMBEDDINGS].map(str::to_owned).to_vec()
    }

    fn one_shot_path(&self, request: &Value) -> String {
        let path = if request.get("messages").is_some() {
            CHAT
        } else if request.get("input").is_some() {
            EMBEDDINGS
        } else {
            COMPLETIONS
        };
        path.to_owned()
    }

    fn serve(&mut self, request: &Request, reply: &mut dyn Reply) {
        let path = request.path.trim_end_matches('/');
        let done = match path {
            CHAT => self.generating(Kind::Chat, &request.body, reply),
            EMBEDDINGS => self.embedding(&request.body, reply),
            _ => self.generating(Kind::Completion, &request.body, reply),
        };
        match done {
            // Stopped: whoever asked has gone, and nobody is left to answer.
            Ok(Ok(()) | Err(Stopped)) => {}
            Err(refusal) => reply.send(refused(path, &refusal)),
        }
    }
}

/// Collects an answer that is sent in one piece.
struct Collected<'a> {
    text: String,
    reply: &'a mut dyn Reply,
}

impl Listener for Collected<'_> {
    fn tick(&mut self) -> Flow {
        self.reply.tick()
    }

    fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

/// Sends each piece of an answer as a server-sent event.
struct Streamed<'a> {
    answer: &'a Answer<'a>,
    reply: &'a mut dyn Reply,
}

impl Streamed<'_> {
    fn event(&mut self, value: &Value) {
        self.reply.stream_data(format!("data: {value}\n\n").as_bytes());
    }
}

impl Listener for Streamed<'_> {
    fn tick(&mut self) -> Flow {
        self.reply.tick()
    }

    fn text(&mut self, text: &str) {
        let piece = self.answer.piece(text);
        self.event(&piece);
    }
}

fn stream(
    session: &mut Session,
    tokenizer: &Tokenizer,
    prompt: &[u32],
    wish: &Wish,
    answer: &Answer<'_>,
    echo: &str,
    reply: &mut dyn Reply,
) -> Result<(), Stopped> {
    reply.stream_begin("text/event-stream");
    let mut streamed = Streamed { answer, reply };
    if let Some(opening) = answer.opening() {
        streamed.event(&opening);
    }
    if !echo.is_empty() {
        streamed.text(echo);
    }
    let outcome = generate(session, tokenizer, prompt, wish, &mut streamed)?;
    streamed.event(&answer.ending(outcome.finish));
    if wish.stream_usage {
        streamed.event(&answer.usage_piece(&outcome));
    }
    reply.generated(outcome.generation);
    reply.stream_data(b"data: [DONE]\n\n");
    reply.stream_end();
    Ok(())
}
