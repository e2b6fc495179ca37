//! The description of the interface (OpenAPI 3.1): made from the handlers, with what every call may answer added once.

use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

/// What answers to any call with a key, or with a body, and when.
const WITH_KEY: [(&str, &str); 4] = [
    ("401", "No key, or one that is not known"),
    ("403", "The key's role is not enough"),
    ("429", "The key calls more often than it may"),
    (
        "503",
        "Too many requests wait, or the index is being read; Retry-After says when to come again",
    ),
];
const WITH_BODY: [(&str, &str); 2] = [
    ("413", "The body is too large"),
    ("415", "The body is not sent as JSON"),
];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "mirrorwatch",
        description = "Finds mirror accounts: accounts a banned actor opens again. It flags; people decide."
    ),
    components(schemas(crate::wire::AccountRecord))
)]
struct Description;

/// The beginning of the description, to which handlers add theirs.
pub(crate) fn begun() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// The description with the keys that calls need and the answers that any of them may get.
pub(crate) fn completed(mut description: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("key", SecurityScheme::Http(bearer));
    for item in description.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.delete];
        operations.into_iter().flatten().for_each(complete);
    }
    description
}

fn complete(operation: &mut Operation) {
    let with_key = operation.security.is_some();
    let with_body = operation.request_body.is_some();
    let of_key = WITH_KEY.iter().filter(|_| with_key);
    let of_body = WITH_BODY.iter().filter(|_| with_body);
    for (status, when) in of_key.chain(of_body) {
        let responses = &mut operation.responses.responses;
        responses
            .entry((*status).to_owned())
            .or_insert_with(|| RefOr::T(problem(when)));
    }
}

fn problem(when: &str) -> Response {
    let record = Ref::from_schema_name("ProblemRecord");
    let content = Content::new(Some(RefOr::Ref(record)));
    ResponseBuilder::new()
        .description(when)
        .content("application/problem+json", content)
        .build()
}
