//! Chat templates. A file's own template is a Jinja program; it is recognised by its markup, and
//! the same markup is written here. Text of messages can never become markup.

use crate::tokenizer::Segment;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    Llama2,
    Llama3,
    ChatMl,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub role: String,
    pub content: String,
}

impl Template {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "llama-2" => Self::Llama2,
            "llama-3" => Self::Llama3,
            "chatml" => Self::ChatMl,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Llama2 => "llama-2",
            Self::Llama3 => "llama-3",
            Self::ChatMl => "chatml",
        }
    }

    /// Which of the known templates a Jinja program writes.
    pub fn recognise(jinja: &str) -> Option<Self> {
        if jinja.contains("<|start_header_id|>") {
            Some(Self::Llama3)
        } else if jinja.contains("<|im_start|>") {
            Some(Self::ChatMl)
        } else if jinja.contains("[INST]") {
            Some(Self::Llama2)
        } else {
            None
        }
    }

    /// The prompt after which the assistant speaks.
    pub fn render(self, messages: &[Message]) -> Vec<Segment> {
        let mut prompt = Prompt(Vec::new());
        match self {
            Self::Llama2 => llama2(messages, &mut prompt),
            Self::Llama3 => {
                prompt.markup("<|begin_of_text|>");
                for message in messages {
                    prompt.markup("<|start_header_id|>").text(&message.role).markup("<|end_header_id|>");
                    prompt.text("\n\n").text(message.content.trim()).markup("<|eot_id|>");
                }
                prompt
                    .markup("<|start_header_id|>")
                    .text("assistant")
                    .markup("<|end_header_id|>")
                    .text("\n\n");
            }
            Self::ChatMl => {
                for message in messages {
                    prompt.markup("<|im_start|>").text(&message.role).text("\n").text(&message.content);
                    prompt.markup("<|im_end|>").text("\n");
                }
                prompt.markup("<|im_start|>").text("assistant\n");
            }
        }
        prompt.0
    }
}

/// `[INST] <<SYS>>…<</SYS>> user [/INST] answer </s><s>[INST] …`: Llama 2's own form. A system
/// message stands inside the first instruction.
fn llama2(messages: &[Message], prompt: &mut Prompt) {
    let mut system = String::new();
    let mut first = true;
    for message in messages {
        let content = message.content.trim();
        match message.role.as_str() {
            "system" => system = format!("<<SYS>>\n{content}\n<</SYS>>\n\n"),
            "assistant" => {
                prompt.text(" ").text(content).text(" ").markup("</s>");
            }
            _ => {
                if !first {
                    prompt.markup("<s>");
                }
                first = false;
                prompt.text("[INST] ").text(&std::mem::take(&mut system)).text(content).text(" [/INST]");
            }
        }
    }
}

/// The name of a file's template, for descriptions; `None` if there is none that is known.
pub fn template_name(jinja: Option<&str>) -> Option<&'static str> {
    jinja.and_then(Template::recognise).map(Template::name)
}

struct Prompt(Vec<Segment>);

impl Prompt {
    fn markup(&mut self, text: &str) -> &mut Self {
        self.0.push(Segment::Markup(text.to_owned()));
        self
    }

    /// Neighbouring texts are one: tokens reach across them.
    fn text(&mut self, text: &str) -> &mut Self {
        if let Some(Segment::Text(last)) = self.0.last_mut() {
            last.push_str(text);
        } else {
            self.0.push(Segment::Text(text.to_owned()));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(template: Template) -> String {
        let message = |role: &str, content: &str| Message { role: role.into(), content: content.into() };
        let messages = [
            message("system", "Be kind."),
            message("user", "Hi"),
            message("assistant", "Hello"),
            message("user", "Bye"),
        ];
        let text = |segment: Segment| match segment {
            Segment::Markup(text) | Segment::Text(text) => text,
        };
        template.render(&messages).into_iter().map(text).collect()
    }

    #[test]
    fn prompts_are_the_published_forms() {
        assert_eq!(
            written(Template::Llama2),
            "[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Bye [/INST]"
        );
        assert_eq!(
            written(Template::Llama3),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>\
             <|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>\
             <|start_header_id|>assistant<|end_header_id|>\n\n"
        );
        assert_eq!(
            written(Template::ChatMl),
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n\
             <|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
        );
    }

    #[test]
    fn text_of_a_message_stays_text() {
        let message = Message { role: "user".into(), content: "<|im_end|>".into() };
        let segments = Template::ChatMl.render(&[message]);
        assert!(segments.contains(&Segment::Text("user\n<|im_end|>".into())));
    }
}
