//! Pictures fetched from a server on this machine, which the guard is told to let pass.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::account::AccountId;
use crate::format::{PICTURE_BYTES_MAX, picture_of};
use crate::serve::fetch::{FetchLimits, Fetcher, Pictures, Wanted};
use crate::tests::until;

const PICTURE: &[u8] = include_bytes!("../../../data/avatars/desk_skyline.png");

/// A server whose bodies never end and tell no length: `chunk` bytes again and again, with a pause between.
async fn endless(chunk: usize, pause: Duration) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0u8; 4_096];
            let _ = stream.read(&mut request).await;
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n";
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                tokio::time::sleep(pause).await;
                sent = stream.write_all(&vec![0u8; chunk]).await;
            }
        }
    });
    format!("http://{address}/")
}

/// A picture server on a port of its own; its address.
async fn server() -> String {
    let hop = |left: u8| match left {
        0 => Redirect::temporary("/picture"),
        left => Redirect::permanent(&format!("/hops/{}", left - 1)),
    };
    let routes = Router::new()
        .route("/picture", get(|| async { PICTURE }))
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                PICTURE
            }),
        )
        .route("/text", get(|| async { "<html>no picture</html>" }))
        .route(
            "/missing",
            get(|| async { axum::http::StatusCode::NOT_FOUND }),
        )
        .route(
            "/hops/{left}",
            get(move |axum::extract::Path(left): axum::extract::Path<u8>| async move { hop(left) }),
        )
        .route(
            "/to",
            get(
                |axum::extract::RawQuery(to): axum::extract::RawQuery| async move {
                    Redirect::temporary(&to.unwrap_or_default())
                },
            ),
        )
        .route("/nowhere", get(|| async { axum::http::StatusCode::FOUND }))
        .route(
            "/large",
            get(|| async { vec![0u8; PICTURE_BYTES_MAX as usize + 1] }),
        );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

fn limits(permitted: &[IpAddr]) -> FetchLimits {
    FetchLimits {
        permitted: permitted.to_vec(),
        time_max: Duration::from_secs(20),
        ..FetchLimits::default()
    }
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn a_picture_is_fetched_and_hashed() {
    let (base, fetcher) = (server().await, Fetcher::new(&limits(&[HERE])).unwrap());
    let expected = picture_of(PICTURE).unwrap();
    for path in ["/picture", "/hops/0", "/hops/1", "/hops/2"] {
        assert_eq!(
            fetcher.fetch(&format!("{base}{path}")).await,
            Ok(expected),
            "{path}"
        );
    }
    // By name too: of what `localhost` resolves to, the address that is let pass.
    let by_name = base.replace("127.0.0.1", "localhost") + "/picture";
    assert_eq!(fetcher.fetch(&by_name).await, Ok(expected));
}

#[tokio::test]
async fn what_is_no_picture_is_given_up() {
    let (base, fetcher) = (server().await, Fetcher::new(&limits(&[HERE])).unwrap());
    for (path, reason) in [
        ("/text", "no_picture"),
        ("/missing", "status"),
        ("/hops/3", "redirects"),
        ("/nowhere", "redirects"),
        ("/large", "too_large"),
    ] {
        assert_eq!(
            fetcher.fetch(&format!("{base}{path}")).await,
            Err(reason),
            "{path}"
        );
    }
    assert_eq!(fetcher.fetch("no url").await, Err("no_url"));
    let flood = endless(1 << 18, Duration::ZERO).await;
    assert_eq!(fetcher.fetch(&flood).await, Err("too_large"));
    let drip = endless(1, Duration::from_millis(20)).await;
    let hasty = FetchLimits {
        time_max: Duration::from_millis(300),
        ..limits(&[HERE])
    };
    let hasty = Fetcher::new(&hasty).unwrap();
    assert_eq!(hasty.fetch(&drip).await, Err("slow"));
}

#[tokio::test]
async fn no_hop_leads_to_an_address_that_is_closed() {
    let base = server().await;
    let port = base.rsplit(':').next().unwrap();
    let fetcher = Fetcher::new(&limits(&[HERE])).unwrap();
    for (target, reason) in [
        (format!("http://127.0.0.2:{port}/picture"), "address"),
        (
            format!("http://[::ffff:127.0.0.1]:{port}/picture"),
            "address",
        ),
        (
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "address",
        ),
        ("file:///etc/passwd".to_owned(), "scheme"),
        ("http://user:password@127.0.0.1/".to_owned(), "credentials"),
        ("http://127.0.0.1:22/".to_owned(), "port"),
    ] {
        assert_eq!(fetcher.fetch(&target).await, Err(reason), "{target}");
        assert_eq!(
            fetcher.fetch(&format!("{base}/to?{target}")).await,
            Err(reason),
            "redirected to {target}"
        );
    }
    // Nothing is let pass besides: neither the address nor a name that resolves to it.
    let strict = Fetcher::new(&limits(&[])).unwrap();
    assert_eq!(
        strict.fetch(&format!("{base}/picture")).await,
        Err("address")
    );
    let by_name = base.replace("127.0.0.1", "localhost") + "/picture";
    assert_eq!(strict.fetch(&by_name).await, Err("unreachable"));
}

#[tokio::test]
async fn the_worker_hands_pictures_on_and_ends_when_nobody_asks() {
    let base = server().await;
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let (pictures, worker) = Pictures::start(limits(&[HERE]), move |wanted: Wanted, avatar| {
        keep.lock().unwrap().push((wanted.id.to_string(), avatar));
        std::future::ready(())
    })
    .unwrap();
    for (id, path) in [("x:1", "/picture"), ("x:2", "/text"), ("x:3", "/hops/1")] {
        let id = AccountId::new(id).unwrap();
        let url = format!("{base}{path}");
        pictures.want(Wanted {
            source: "s".into(),
            id,
            url,
        });
    }
    drop(pictures);
    worker.await.unwrap();
    let mut kept = std::mem::take(&mut *kept.lock().unwrap());
    kept.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = picture_of(PICTURE).unwrap();
    assert_eq!(
        kept,
        [("x:1".to_owned(), expected), ("x:3".to_owned(), expected)]
    );
}

#[tokio::test]
async fn wishes_past_the_queue_are_dropped_and_hold_nobody_up() {
    let limits = FetchLimits {
        queue_max: 2,
        ..limits(&[HERE])
    };
    let (pictures, worker) = Pictures::start(limits, |_, _| std::future::ready(())).unwrap();
    for n in 0..1_000 {
        let id = AccountId::new(&format!("x:{n}")).unwrap();
        pictures.want(Wanted {
            source: "s".into(),
            id,
            url: "ftp://nowhere".into(),
        });
    }
    drop(pictures);
    worker.await.unwrap();
}

#[tokio::test]
async fn who_closes_waits_for_what_was_begun_and_for_no_more() {
    let base = server().await;
    let slow = endless(1, Duration::from_secs(60)).await;
    let kept: Arc<Mutex<Vec<String>>> = Arc::default();
    let keeper = Arc::clone(&kept);
    let limits = FetchLimits {
        permitted: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        time_max: Duration::from_millis(300),
        ..FetchLimits::default()
    };
    let (pictures, worker) = Pictures::start(limits, move |wanted, _| {
        keeper.lock().unwrap().push(wanted.id.to_string());
        std::future::ready(())
    })
    .unwrap();
    // Eight that hang take all places; the others wait.
    for n in 0..8 {
        pictures.want(wanted(n, &slow));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    for n in 8..20 {
        pictures.want(wanted(n, &format!("{base}/picture")));
    }
    pictures.close();
    let ended = tokio::time::timeout(Duration::from_secs(5), worker).await;
    ended.unwrap().unwrap();
    assert!(kept.lock().unwrap().len() <= 1, "what waited was dropped");
}

fn wanted(n: u32, url: &str) -> Wanted {
    Wanted {
        source: "s".to_owned(),
        id: AccountId::new(&format!("x:{n}")).unwrap(),
        url: url.to_owned(),
    }
}

#[tokio::test]
async fn a_picture_of_who_was_erased_meanwhile_is_not_kept() {
    let base = server().await;
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeping = Arc::clone(&kept);
    let (pictures, _) = Pictures::start(limits(&[HERE]), move |wanted, _| {
        keeping.lock().unwrap().push(wanted.id.to_string());
        std::future::ready(())
    })
    .unwrap();
    let wanted = |id: &str| Wanted {
        source: "bus".to_owned(),
        id: AccountId::new(id).unwrap(),
        url: format!("{base}/slow"),
    };
    pictures.want(wanted("x:1"));
    pictures.want(wanted("x:2"));
    pictures.forget(&AccountId::new("x:1").unwrap());
    until(|| !kept.lock().unwrap().is_empty()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(*kept.lock().unwrap(), ["x:2"]);
    // What is told of it later is new.
    pictures.want(wanted("x:1"));
    until(|| kept.lock().unwrap().len() == 2).await;
    assert_eq!(*kept.lock().unwrap(), ["x:2", "x:1"]);
}
