//! The command line.

use crate::error::StartError;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::net::IpAddr;

pub const HELP: &str = "\
Serves a model over HTTP: Llama-family GGUF files by the OpenAI API, ONNX files by the Open
Inference Protocol v2.

  --model [NAME=]PATH      a .gguf or .onnx file; several ONNX files may be given.
                           Without it, all such files in /models
  --host ADDRESS           address to listen at; default 0.0.0.0
  --port N                 default: environment variable PORT, else 8080
  --queue N                requests that may wait; more are refused with 429; default 16
  --max-body BYTES         largest request body; default 67108864
  --context N              Llama: most tokens of prompt and answer; default 4096 at most
  --chat-template NAME     Llama: llama-2, llama-3 or chatml; default: what the file says
  --shape INPUT=1,3,48,192 ONNX: prepare for this shape at start; may be repeated
  --infer FILE             answer the request in FILE (- is standard input) on standard
                           output, then end
  --inspect                describe the models as JSON from their files, then end
  --operators              list the ONNX operators that can run as JSON, then end
  --help, --version
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    Serve,
    Infer(String),
    Inspect,
    Operators,
    Help,
    Version,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub mode: Mode,
    /// Name, if given, and path.
    pub models: Vec<(Option<String>, String)>,
    pub host: IpAddr,
    pub port: Option<u16>,
    pub queue: usize,
    pub max_body: usize,
    pub context: Option<usize>,
    pub chat_template: Option<String>,
    /// Input and dimensions.
    pub shapes: Vec<(String, Vec<usize>)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: Mode::Serve,
            models: Vec::new(),
            host: IpAddr::from([0, 0, 0, 0]),
            port: None,
            queue: 16,
            max_body: 64 * 1024 * 1024,
            context: None,
            chat_template: None,
            shapes: Vec::new(),
        }
    }
}

/// Reads the arguments after the program's name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, StartError> {
    read(lexopt::Parser::from_args(arguments)).map_err(|error| StartError::usage(error.to_string()))
}

fn read(mut parser: lexopt::Parser) -> Result<Options, lexopt::Error> {
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("model") => {
                let value = parser.value()?.string()?;
                options.models.push(model(&value)?);
            }
            Long("host") => options.host = parser.value()?.parse()?,
            Long("port") => options.port = Some(parser.value()?.parse()?),
            Long("queue") => options.queue = parser.value()?.parse()?,
            Long("max-body") => options.max_body = parser.value()?.parse()?,
            Long("context") => options.context = Some(parser.value()?.parse_with(positive)?),
            Long("chat-template") => options.chat_template = Some(parser.value()?.string()?),
            Long("shape") => options.shapes.push(parser.value()?.parse_with(shape)?),
            Long("infer") => options.mode = Mode::Infer(parser.value()?.string()?),
            Long("inspect") => options.mode = Mode::Inspect,
            Long("operators") => options.mode = Mode::Operators,
            Long("help") | Short('h') => options.mode = Mode::Help,
            Long("version") => options.mode = Mode::Version,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn model(value: &str) -> Result<(Option<String>, String), lexopt::Error> {
    match value.split_once('=') {
        Some((name, path)) if valid_name(name) && !path.is_empty() => {
            Ok((Some(name.to_owned()), path.to_owned()))
        }
        Some(_) => Err(format!("--model {value}: a name has letters, digits, '.', '_' and '-'").into()),
        None => Ok((None, value.to_owned())),
    }
}

/// Names stand in paths of URLs.
pub fn valid_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|each| each.is_ascii_alphanumeric() || "._-".contains(each))
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "expected a number above 0".to_owned())
}

fn shape(text: &str) -> Result<(String, Vec<usize>), String> {
    let wrong = || "expected INPUT=1,3,48,192".to_owned();
    let (input, dimensions) = text.rsplit_once('=').ok_or_else(wrong)?;
    let dimensions = dimensions
        .split(',')
        .map(|each| each.trim().parse().map_err(|_| wrong()))
        .collect::<Result<_, _>>()?;
    Ok((input.to_owned(), dimensions))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Options, StartError> {
        parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn models_may_have_names() {
        let options = parsed(&["--model", "a=/m/x.onnx", "--model", "/m/y.onnx"]).unwrap();
        assert_eq!(options.models, [(Some("a".into()), "/m/x.onnx".into()), (None, "/m/y.onnx".into())]);
    }

    #[test]
    fn shapes_are_lists_of_numbers() {
        let options = parsed(&["--shape", "a=b=1,3, 4"]).unwrap();
        assert_eq!(options.shapes, [("a=b".to_owned(), vec![1, 3, 4])]);
    }

    #[test]
    fn wrong_usage_says_what_is_wrong() {
        for (arguments, word) in [
            (&["--port", "99999"][..], "99999"),
            (&["--model"], "--model"),
            (&["--modle", "x"], "--modle"),
            (&["--model", "a/b=x"], "name"),
            (&["--context", "0"], "above 0"),
            (&["--shape", "x=1,a"], "INPUT"),
            (&["stray"], "stray"),
        ] {
            let error = parsed(arguments).unwrap_err();
            assert!(error.exit_code == 2 && error.message.contains(word), "{error}");
        }
    }
}
