//! An inference response, in JSON alone or with binary tensors after it.

use super::request::Inference;
use super::tensor;
use crate::error::Refusal;
use crate::http::Response;
use crate::onnx::{Datatype, Port};
use serde::Serialize;
use serde_json::value::RawValue;
use tract_onnx::prelude::{DatumType, TValue, TractResult};

#[derive(Serialize)]
struct Body<'a> {
    model_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: Vec<Output<'a>>,
}

#[derive(Serialize)]
struct Output<'a> {
    name: &'a str,
    datatype: &'static str,
    shape: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Parameters {
    binary_data_size: usize,
}

pub fn render(
    model: &str,
    inference: &Inference,
    ports: &[Port],
    results: &[TValue],
) -> Result<Response, Refusal> {
    let mut outputs = Vec::new();
    let mut binary = Vec::new();
    for (at, as_bytes) in &inference.outputs {
        let (port, result) = (&ports[*at], &results[*at]);
        let output = output(port, result, *as_bytes, &mut binary)
            .map_err(|error| Refusal::new(500, format!("the output {}: {error}", port.name)))?;
        outputs.push(output);
    }
    let body = Body { model_name: model, id: inference.id.as_deref(), outputs };
    let mut response = Response::json(200, &body);
    if inference.outputs.iter().any(|(_, as_bytes)| *as_bytes) {
        let length = response.body.len().to_string();
        response = response.with("Inference-Header-Content-Length", length);
        response.content_type = "application/octet-stream";
        response.body.extend(binary);
    }
    Ok(response)
}

fn output<'a>(
    port: &'a Port,
    result: &TValue,
    as_bytes: bool,
    binary: &mut Vec<u8>,
) -> TractResult<Output<'a>> {
    // What the file declares and what comes out differ now and then; the tensor is right.
    let cast;
    let (datatype, result) = if let Some(datatype) = datatype(result.datum_type()) {
        (datatype, &**result)
    } else {
        // Sizes that tract keeps as symbols are 64-bit integers to everybody else.
        cast = result.cast_to_dt(DatumType::I64)?.into_owned();
        (Datatype::I64, &cast)
    };
    let mut output = Output {
        name: &port.name,
        datatype: datatype.name(),
        shape: result.shape().to_vec(),
        parameters: None,
        data: None,
    };
    if as_bytes {
        let bytes = tensor::to_bytes(datatype, result)?;
        output.parameters = Some(Parameters { binary_data_size: bytes.len() });
        binary.extend(bytes);
    } else {
        output.data = Some(tensor::to_json(datatype, result)?);
    }
    Ok(output)
}

fn datatype(kind: DatumType) -> Option<Datatype> {
    Some(match kind {
        DatumType::Bool => Datatype::Bool,
        DatumType::U8 => Datatype::U8,
        DatumType::U16 => Datatype::U16,
        DatumType::U32 => Datatype::U32,
        DatumType::U64 => Datatype::U64,
        DatumType::I8 => Datatype::I8,
        DatumType::I16 => Datatype::I16,
        DatumType::I32 => Datatype::I32,
        DatumType::I64 => Datatype::I64,
        DatumType::F16 => Datatype::F16,
        DatumType::F32 => Datatype::F32,
        DatumType::F64 => Datatype::F64,
        _ => return None,
    })
}
