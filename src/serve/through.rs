//! A service in front of another, as one function: what tower asks of such a service is written once, here.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use tower::Service;

/// An answer on its way.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Answers each request by `pass`, which may hand it on to `inner`.
#[derive(Clone)]
pub(crate) struct Through<S, F> {
    /// The service behind it.
    pub(crate) inner: S,
    /// What becomes of a request.
    pub(crate) pass: F,
}

impl<S, F> Service<Request> for Through<S, F>
where
    S: Service<Request, Error = Infallible>,
    F: Fn(&mut S, Request) -> Answering,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Answering {
        (self.pass)(&mut self.inner, request)
    }
}
