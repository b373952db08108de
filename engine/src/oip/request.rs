//! An inference request, in JSON alone or with binary tensors after it.

use super::tensor;
use crate::error::Refusal;
use crate::http::Request;
use crate::onnx::{Datatype, Port};
use serde::Deserialize;
use serde_json::value::RawValue;
use tract_onnx::prelude::Tensor;

#[derive(Deserialize)]
struct Body<'a> {
    id: Option<String>,
    #[serde(borrow)]
    inputs: Vec<RawInput<'a>>,
    outputs: Option<Vec<RawOutput>>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct RawInput<'a> {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    parameters: Option<Parameters>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawOutput {
    name: String,
    parameters: Option<Parameters>,
}

#[derive(Deserialize, Default)]
#[allow(clippy::struct_field_names, reason = "the protocol's names")]
struct Parameters {
    /// Bytes of an input after the JSON.
    binary_data_size: Option<usize>,
    /// Give this output as bytes.
    binary_data: Option<bool>,
    /// Give all outputs as bytes.
    binary_data_output: Option<bool>,
}

#[derive(Debug)]
pub struct Inference {
    pub id: Option<String>,
    /// In the model's order.
    pub inputs: Vec<Tensor>,
    /// Positions in the model's outputs, and whether each is wanted as bytes.
    pub outputs: Vec<(usize, bool)>,
}

/// Reads and checks a request against what the model takes.
pub fn parse(request: &Request, inputs: &[Port], outputs: &[Port]) -> Result<Inference, Refusal> {
    let length = request.inference_header_length.unwrap_or(request.body.len());
    let (json, mut binary) = request
        .body
        .split_at_checked(length)
        .ok_or_else(|| Refusal::bad("Inference-Header-Content-Length is larger than the body"))?;
    let body: Body<'_> = serde_json::from_slice(json)
        .map_err(|error| Refusal::bad(format!("the body is no inference request: {error}")))?;
    let mut tensors: Vec<Option<Tensor>> = inputs.iter().map(|_| None).collect();
    for raw in &body.inputs {
        let at = position(inputs, &raw.name).ok_or_else(|| unknown("input", &raw.name, inputs))?;
        let tensor = read_input(raw, &inputs[at], &mut binary)?;
        if tensors[at].replace(tensor).is_some() {
            return Err(Refusal::bad(format!("the input {} is given twice", inputs[at].name)));
        }
    }
    if !binary.is_empty() {
        return Err(Refusal::bad(format!("{} bytes are left after the last binary input", binary.len())));
    }
    let given = tensors.into_iter().zip(inputs).map(|(tensor, port)| {
        tensor.ok_or_else(|| {
            Refusal::bad(format!("the input {} ({}) is missing", port.name, port.datatype.name()))
        })
    });
    let inputs = given.collect::<Result<_, _>>()?;
    Ok(Inference { id: body.id.clone(), inputs, outputs: wanted(&body, outputs)? })
}

fn read_input(raw: &RawInput<'_>, port: &Port, binary: &mut &[u8]) -> Result<Tensor, Refusal> {
    let name = &port.name;
    let datatype = Datatype::named(&raw.datatype);
    if datatype != Some(port.datatype) {
        return Err(Refusal::bad(format!(
            "the input {name} is {}, not {}",
            port.datatype.name(),
            short(&raw.datatype)
        )));
    }
    if !port.accepts(&raw.shape) {
        let given: Vec<usize> = raw.shape.iter().copied().take(16).collect();
        return Err(Refusal::bad(format!(
            "the input {name} has the shape {}, not {given:?}",
            port.shape_json()
        )));
    }
    let size = raw.parameters.as_ref().and_then(|parameters| parameters.binary_data_size);
    let tensor = match (size, raw.data) {
        (Some(size), None) => {
            let (mine, rest) = binary.split_at_checked(size).ok_or_else(|| {
                Refusal::bad(format!("the input {name} has {size} bytes, the body only {}", binary.len()))
            })?;
            *binary = rest;
            tensor::from_bytes(port.datatype, &raw.shape, mine)
        }
        (None, Some(data)) => tensor::from_json(port.datatype, &raw.shape, data),
        _ => Err(Refusal::bad("give either data or binary_data_size")),
    };
    tensor.map_err(|refusal| Refusal::bad(format!("the input {name}: {refusal}")))
}

fn wanted(body: &Body<'_>, outputs: &[Port]) -> Result<Vec<(usize, bool)>, Refusal> {
    let all_binary = body.parameters.as_ref().and_then(|each| each.binary_data_output).unwrap_or(false);
    let Some(named) = body.outputs.as_ref().filter(|named| !named.is_empty()) else {
        return Ok((0..outputs.len()).map(|at| (at, all_binary)).collect());
    };
    let one = |output: &RawOutput| {
        let at = position(outputs, &output.name).ok_or_else(|| unknown("output", &output.name, outputs))?;
        let binary = output.parameters.as_ref().and_then(|each| each.binary_data).unwrap_or(all_binary);
        Ok((at, binary))
    };
    named.iter().map(one).collect()
}

fn position(ports: &[Port], name: &str) -> Option<usize> {
    ports.iter().position(|port| port.name == name)
}

fn unknown(kind: &str, name: &str, ports: &[Port]) -> Refusal {
    let known: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
    Refusal::bad(format!("the model has no {kind} {}; it has {}", short(name), known.join(", ")))
}

/// A client's text, cut before it goes into a message.
fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
