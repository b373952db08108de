//! Which request is answered at once, which is work, and which is wrong.

use crate::error::Refusal;
use crate::http::{Request, Response};
use crate::service::Service;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub enum Route {
    /// Known without any work. The name is the route's, for the metrics.
    Page(&'static str, Response),
    Metrics,
    /// Work for the service of this number; the name is the path.
    Work(usize, String),
}

pub struct Routes {
    pages: BTreeMap<String, Value>,
    work: BTreeMap<String, usize>,
}

impl Routes {
    pub fn new(services: &[Box<dyn Service>]) -> Self {
        let mut pages: BTreeMap<String, Value> = BTreeMap::new();
        pages.insert("/v2/health/live".into(), json!({ "live": true }));
        pages.insert("/v2/health/ready".into(), json!({ "ready": true }));
        let mut work = BTreeMap::new();
        for (number, service) in services.iter().enumerate() {
            pages.extend(service.pages());
            work.extend(service.work_paths().into_iter().map(|path| (path, number)));
        }
        Self { pages, work }
    }

    pub fn route(&self, request: &Request) -> Route {
        let path = request.path.trim_end_matches('/');
        let reads = request.method == "GET";
        if let Some(&service) = self.work.get(path) {
            return if request.method == "POST" {
                Route::Work(service, path.to_owned())
            } else {
                wrong_method("POST")
            };
        }
        let is_metrics = path == "/metrics";
        match self.pages.get(path) {
            Some(_) if !reads => wrong_method("GET"),
            Some(page) => Route::Page("page", Response::json(200, page)),
            None if is_metrics && reads => Route::Metrics,
            None if is_metrics => wrong_method("GET"),
            None => Route::Page("unknown", self.not_found(path)),
        }
    }

    fn not_found(&self, path: &str) -> Response {
        let known: Vec<&str> = self.work.keys().chain(self.pages.keys()).map(String::as_str).collect();
        // Cut: the path is the client's and may be long.
        let path: String = path.chars().take(200).collect();
        Response::json(404, &json!({ "error": format!("nothing is served at {path}"), "paths": known }))
    }
}

fn wrong_method(allowed: &'static str) -> Route {
    let body = json!({ "error": format!("this path answers {allowed} only") });
    Route::Page("unknown", Response::json(405, &body).with("Allow", allowed))
}

/// A refusal in the form of errors that the path's protocol has: an object with `OpenAI`'s API, a
/// string with the Open Inference Protocol.
pub fn refused(path: &str, refusal: &Refusal) -> Response {
    if !path.starts_with("/v1/") {
        return Response::refusal(refusal);
    }
    let kind = if refusal.status < 500 { "invalid_request_error" } else { "server_error" };
    let error = json!({ "message": refusal.message, "type": kind, "param": null, "code": null });
    Response::json(refusal.status, &json!({ "error": error }))
}
