//! The service as a process: listen, open the engine beside, serve until told to stop, end in good order.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::account::AccountDraft;
use crate::engine::{Engine, Options};
use crate::error::{Error, Result};
use crate::serve::app::{App, Shared};
use crate::serve::dead_letters::{self, DeadInMemory};
use crate::serve::fetch::{FetchLimits, Pictures};
use crate::serve::hooks::{Desk, keep_keys};
use crate::serve::look_back::keep_looking;
use crate::serve::meters;
use crate::serve::outgoing::{Outgoing, Schedule};
use crate::serve::patience::{Patience, STILL_MAX};
use crate::serve::raising::TOLD_WITHIN;
use crate::serve::router::router;
use crate::serve::settings::Settings;

/// Said at start where there is no key.
const OPEN: &str = "mirrorwatch: without keys everybody who reaches this port, through a proxy too, is admin: make a key \
    (`mirrorwatch keys add`)";
/// Makes tables be read that are read when they are first needed: of look-alike letters, and of the world's numbering plans.
const WARMING_TEXT: &str = "start +92 300 1234567";
/// How often bans that have ended are withdrawn.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(60);
/// Longest that the service waits for the keys of sources before it is ready.
const KEYS_MAX: Duration = Duration::from_secs(10);
/// What is past its time is forgotten, and what was learnt kept, every so many times: it reads much.
const TIDYING_EVERY: u32 = 60;

/// Serves the database in `folder` until the process is told to stop (SIGTERM, SIGINT). `told` gets the address.
///
/// # Errors
/// The settings do not work here, the port is taken, or the database cannot be opened.
pub(crate) fn serve(
    folder: PathBuf,
    settings: Settings,
    options: Options,
    told: &mut dyn FnMut(&str),
) -> Result<()> {
    settings.check()?;
    let malformed = |reason: String| Error::Malformed {
        what: "serve".into(),
        reason,
    };
    let listener = TcpListener::bind(settings.listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|error| malformed(format!("cannot listen on {}: {error}", settings.listen)))?;
    let address = listener.local_addr().unwrap_or(settings.listen);
    crate::store::make_private(&folder)?;
    let app = App::new(&folder, settings)?;
    if !address.ip().is_loopback() && app.keys.all().is_empty() {
        let reason = format!(
            "{address} can be reached from other machines: make a key first (`mirrorwatch keys add`)"
        );
        return Err(malformed(reason));
    }
    let scheme = if app.settings.tls_cert.is_some() {
        "https"
    } else {
        "http"
    };
    told(&format!("mirrorwatch: listening on {scheme}://{address}"));
    if app.is_open_here() {
        told(OPEN);
        tracing::warn!("without keys everybody who reaches this port is admin");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(async_threads())
        .enable_all()
        .build()
        .map_err(|error| malformed(error.to_string()))?;
    meters::recorder();
    runtime.block_on(run(&app, listener, options))
}

/// Threads that read requests and write answers: half of the cores, since screens have threads of their own. As many as there are
/// cores wake one another more often: on two cores a service answered 8 % fewer requests a second.
fn async_threads() -> usize {
    (std::thread::available_parallelism().map_or(2, usize::from) / 2).max(1)
}

async fn run(app: &Shared, listener: TcpListener, options: Options) -> Result<()> {
    let handle: Handle<SocketAddr> = Handle::new();
    let fetching = start_beside(app)?;
    let (read_once, mut keys_read) = watch::channel(false);
    let keys = tokio::spawn(keep_keys(Arc::clone(&app.sources), read_once));
    let opening = {
        let (app, handle) = (app.clone(), handle.clone());
        let runtime = tokio::runtime::Handle::current();
        // The keys are read meanwhile. Without them the service is still good for everybody else, so it waits only so long.
        let keys_tried = move || {
            let read = keys_read.wait_for(|is_read| *is_read);
            let _ = runtime.block_on(async { tokio::time::timeout(KEYS_MAX, read).await });
        };
        tokio::task::spawn_blocking(move || {
            let opened = open(&app, options, keys_tried);
            if opened.is_err() {
                handle.shutdown();
            }
            opened
        })
    };
    let stopping = tokio::spawn(stop_when_told(app.clone(), handle.clone()));
    let housekeeping = tokio::spawn(keep_house(app.clone()));
    let looking = tokio::spawn(keep_looking(app.clone()));
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let failed = |error: std::io::Error| Error::Malformed {
        what: "serve".into(),
        reason: error.to_string(),
    };
    match (&app.settings.tls_cert, &app.settings.tls_key) {
        (Some(cert), Some(key)) => {
            // Set once for the process; another provider set before serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let tls = RustlsConfig::from_pem_file(cert, key)
                .await
                .map_err(failed)?;
            let server = axum_server::from_tcp_rustls(listener, tls).map_err(failed)?;
            let mut server = server.map(patient);
            limited(server.http_builder(), STILL_MAX);
            server.handle(handle).serve(service).await.map_err(failed)?;
        }
        _ => {
            let server = axum_server::from_tcp(listener).map_err(failed)?;
            let mut server = server.map(patient);
            limited(server.http_builder(), STILL_MAX);
            server.handle(handle).serve(service).await.map_err(failed)?;
        }
    }
    stopping.abort();
    housekeeping.abort();
    looking.abort();
    keys.abort();
    let is_all_told = end(app, fetching).await?;
    match opening.await {
        Ok(opened) => opened?,
        Err(_) => return Err(Error::WriterStopped),
    }
    if let Ok(engine) = app.engine() {
        app.look_back.note(engine)?;
        if is_all_told {
            app.note_told(engine, Duration::ZERO)?;
        }
        engine.keep_learnt()?;
    }
    Ok(())
}

fn patient<A>(inner: A) -> Patience<A> {
    Patience {
        inner,
        still_max: STILL_MAX,
    }
}

/// Closes connections whose next request's head takes longer, however busily it comes.
pub(in crate::serve) fn limited(builder: &mut Builder<TokioExecutor>, head_max: Duration) {
    let mut http1 = builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(head_max);
}

/// Ends what works beside the requests, in the order in which one hands on to the next: true where every flag was told, given
/// up or kept.
async fn end(app: &App, fetching: JoinHandle<()>) -> Result<bool> {
    let drain = Duration::from_secs(app.settings.drain_seconds);
    if let Some(pictures) = app.pictures.get() {
        pictures.close();
        // What takes longer is dropped, as what waits is.
        let _ = tokio::time::timeout(drain, fetching).await;
    }
    // Whoever was cut off may have work here still, and a flag it raises has to be told or kept.
    let (screens, others) = tokio::join!(app.gate.end(drain), app.side_gate.end(drain));
    if !(screens && others) {
        tracing::warn!(
            "work goes on past the time to stop: a flag it raises is told after the next start"
        );
    }
    if let Some(outgoing) = app.outgoing.get() {
        outgoing.close(drain).await;
        dead_letters::keep(&app.folder, &outgoing.dead().latest(usize::MAX))?;
    }
    Ok(screens && others)
}

/// Starts what works beside the requests: fetching pictures and sending flags.
fn start_beside(app: &Shared) -> Result<JoinHandle<()>> {
    let limits = FetchLimits {
        permitted: app.settings.picture_addresses.clone(),
        ..FetchLimits::default()
    };
    let keeper = app.clone();
    let (pictures, fetching) = Pictures::start(limits, move |wanted, avatar| {
        let keeper = keeper.clone();
        async move {
            let kept = keeper.remember_picture(&wanted.source, wanted.id, avatar);
            if kept.await.is_err() {
                tracing::warn!(source = wanted.source, "a picture could not be kept");
            }
        }
    })?;
    let endpoints = app.settings.flags.clone();
    let dead = Arc::new(DeadInMemory::default());
    let outgoing = Outgoing::start(endpoints, &Schedule::default(), dead)?;
    outgoing.resume(dead_letters::left(&app.folder, Timestamp::now())?);
    // There is one call.
    let _ = app.pictures.set(pictures);
    let _ = app.outgoing.set(outgoing);
    Ok(fetching)
}

/// Opens the engine and lets requests through, once the keys of sources were asked for; then brings recent signups back to hand.
fn open(app: &App, options: Options, keys_tried: impl FnOnce()) -> Result<()> {
    let begun = std::time::Instant::now();
    let engine = Engine::open(&app.folder, options)?.with_recent(app.settings.recency());
    // What is read once, at the first text of its kind, is read before anybody waits for it.
    let warm = AccountDraft {
        id: "start:1".into(),
        handle: "start".into(),
        bio: WARMING_TEXT.into(),
        ..AccountDraft::default()
    };
    drop(engine.fingerprint(&warm.check()?));
    keys_tried();
    let looked_back = match engine.looked_back()? {
        Some(lsn) => lsn,
        None => {
            let lsn = engine.generation().lsn();
            engine.set_looked_back(lsn)?;
            lsn
        }
    };
    app.tell_again(&engine)?;
    app.open(engine.clone());
    let took_ms = begun.elapsed().as_millis() as u64;
    tracing::info!(took_ms, entries = engine.generation().entries(), "ready");
    app.docket.recall(&engine)?;
    // Half of the time is for requests, while there are any.
    let recalled = engine.recall_recent(|took| {
        if app.gate.inside() > 0 {
            std::thread::sleep(took);
        }
    });
    let recalled = recalled?;
    app.look_back.catch_up(&engine, looked_back)?;
    tracing::info!(recalled, "recent signups are at hand");
    Ok(())
}

async fn stop_when_told(app: Shared, handle: Handle<SocketAddr>) {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            },
            Err(_) => drop(interrupt.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
    tracing::info!("stopping: open requests are finished first");
    app.docket.stop();
    if let Ok(engine) = app.engine() {
        engine.end_recent();
    }
    handle.graceful_shutdown(Some(Duration::from_secs(app.settings.drain_seconds)));
}

/// Withdraws bans that have ended and forgets what is past its time, again and again.
async fn keep_house(app: Shared) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING_EVERY);
    ticks.tick().await;
    for tick in 1.. {
        ticks.tick().await;
        let app = app.clone();
        let kept = tokio::task::spawn_blocking(move || -> Result<()> {
            let Ok(engine) = app.engine() else {
                return Ok(());
            };
            let now = Timestamp::now();
            app.logins.retain_recent();
            app.look_back.note(engine)?;
            match app.keep_undelivered(&tokio::runtime::Handle::current()) {
                Ok(true) => app.note_told(engine, TOLD_WITHIN)?,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "undelivered flags cannot be kept"),
            }
            let ended = engine.retire(now)?;
            if !ended.is_empty() {
                let lsn = engine.generation().lsn();
                app.audit.note("mirrorwatch", "retire", &ended, lsn);
            }
            if u32::is_multiple_of(tick, TIDYING_EVERY) {
                engine.forget_seen(now)?;
                let days = i64::from(app.settings.keep.decision_days);
                let oldest = Timestamp::from_second(now.as_second() - days * 86_400);
                engine.forget_decisions_before(oldest.unwrap_or(Timestamp::UNIX_EPOCH))?;
                app.docket.refresh_all(engine)?;
                engine.keep_learnt()?;
                if let Some(outgoing) = app.outgoing.get() {
                    outgoing.dead().forget_old(now);
                }
                dead_letters::forget_old_undelivered(&app.folder, now)?;
            }
            Ok(())
        });
        if let Ok(Err(error)) = kept.await {
            tracing::error!(%error, "housekeeping failed");
        }
    }
}
