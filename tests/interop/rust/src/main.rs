// SPDX-License-Identifier: Apache-2.0
//
// async-nats against the servers named in the environment. One line a check, a closing line, and
// `call WORD` lines by which it asks the runner to kill or start a server. See ../../README.md.

mod harness;

use std::time::Duration;

use async_nats::connection::State;
use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, HeaderMap, PublishErrorKind, RequestErrorKind,
    StatusCode, Subscriber,
};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use harness::*;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    std::process::exit(
        run_all(vec![
            ("connect_plain", || Box::pin(connect_plain())),
            ("server_info", || Box::pin(server_info())),
            ("connect_user", || Box::pin(connect_user())),
            ("connect_user_callback", || Box::pin(connect_user_callback())),
            ("connect_user_wrong", || Box::pin(connect_user_wrong())),
            ("connect_user_missing", || Box::pin(connect_user_missing())),
            ("connect_token", || Box::pin(connect_token())),
            ("connect_token_wrong", || Box::pin(connect_token_wrong())),
            ("publish_subscribe", || Box::pin(publish_subscribe())),
            ("binary_payload", || Box::pin(binary_payload())),
            ("empty_payload", || Box::pin(empty_payload())),
            ("wildcard_star", || Box::pin(wildcard_star())),
            ("wildcard_full", || Box::pin(wildcard_full())),
            ("queue_group", || Box::pin(queue_group())),
            ("request_reply", || Box::pin(request_reply())),
            ("request_concurrent", || Box::pin(request_concurrent())),
            ("request_timeout", || Box::pin(request_timeout())),
            ("no_responders", || Box::pin(no_responders())),
            ("headers", || Box::pin(headers())),
            ("headers_request", || Box::pin(headers_request())),
            ("payload_1mib", || Box::pin(payload_1mib())),
            ("max_payload", || Box::pin(max_payload())),
            ("no_echo", || Box::pin(no_echo())),
            ("unsubscribe", || Box::pin(unsubscribe())),
            ("auto_unsubscribe", || Box::pin(auto_unsubscribe())),
            ("drain_subscription", || Box::pin(drain_subscription())),
            ("drain_connection", || Box::pin(drain_connection())),
            ("flush_rtt", || Box::pin(flush_rtt())),
            ("close", || Box::pin(close())),
            ("many_subscriptions", || Box::pin(many_subscriptions())),
            ("burst", || Box::pin(burst())),
            ("reconnect", || Box::pin(reconnect())),
        ])
        .await,
    );
}

async fn connect_plain() -> Outcome {
    equal(open().await?.connection_state(), State::Connected, "state")
}

async fn server_info() -> Outcome {
    let client = open().await?;
    let info = client.server_info();
    equal(info.proto, 1, "proto")?;
    equal(info.max_payload, MIB, "max_payload")?;
    equal(info.client_ip.as_str(), "127.0.0.1", "client_ip")?;
    equal(info.server_id.len(), 56, "length of server_id")?;
    equal((info.headers, info.auth_required), (true, false), "headers, auth_required")?;
    truth(client.is_server_compatible(2, 15, 0), format!("version {}", info.version))?;
    truth(open().await?.server_info().client_id > info.client_id, "client ids rise")?;
    let guarded = options().token(env("TOKEN_WORD")).connect(env("TOKEN")).await?;
    equal(guarded.server_info().auth_required, true, "auth_required with a token")
}

async fn connect_user() -> Outcome {
    let options = options().user_and_password(env("USER_NAME"), env("USER_PASSWORD"));
    settle(&options.connect(env("USER")).await?).await
}

async fn connect_user_callback() -> Outcome {
    let options = ConnectOptions::with_auth_callback(async |_nonce| {
        let mut auth = async_nats::Auth::new();
        auth.username = Some(env("USER_NAME"));
        auth.password = Some(env("USER_PASSWORD"));
        Ok(auth)
    });
    settle(&options.connect(env("USER")).await?).await
}

async fn refused(options: ConnectOptions, url: String) -> Outcome {
    let error = options.connect(url).await.err();
    equal(
        error.map(|error| error.kind()),
        Some(ConnectErrorKind::AuthorizationViolation),
        "the connection's error",
    )
}

async fn connect_user_wrong() -> Outcome {
    refused(options().user_and_password(env("USER_NAME"), "wrong".into()), env("USER")).await
}

async fn connect_user_missing() -> Outcome {
    refused(options(), env("USER")).await
}

async fn connect_token() -> Outcome {
    settle(&options().token(env("TOKEN_WORD")).connect(env("TOKEN")).await?).await
}

async fn connect_token_wrong() -> Outcome {
    refused(options().token("wrong".into()), env("TOKEN")).await
}

async fn subscribe(client: &Client, subject: &str) -> Result<Subscriber, String> {
    let subscriber =
        client.subscribe(subject.to_string()).await.map_err(|error| error.to_string())?;
    settle(client).await.map_err(|error| error.to_string())?;
    Ok(subscriber)
}

async fn publish_subscribe() -> Outcome {
    let (publisher, receiver) = (open().await?, open().await?);
    let mut subscriber = subscribe(&receiver, "ps.one").await?;
    publish_all(&publisher, "ps.one", &numbered(1000)).await?;
    publish_all(&publisher, "ps.two", &["elsewhere".to_string()]).await?;
    expect(&mut subscriber, &numbered(1000)).await?;
    expect_nothing(&receiver, &mut subscriber).await
}

async fn binary_payload() -> Outcome {
    let client = open().await?;
    let mut subscriber = subscribe(&client, "binary").await?;
    let mut payload: Vec<u8> = (0..=255).collect();
    payload.extend_from_slice(b"\r\nMSG x 1 1\r\nPING\r\n");
    client.publish("binary", payload.clone().into()).await?;
    equal(next(&mut subscriber).await?.payload, Bytes::from(payload), "payload")
}

async fn empty_payload() -> Outcome {
    let client = open().await?;
    let mut subscriber = subscribe(&client, "empty").await?;
    let texts = [String::new(), "after".to_string()];
    publish_all(&client, "empty", &texts).await?;
    expect(&mut subscriber, &texts).await
}

async fn matching(pattern: &str, inside: &[&str], outside: &[&str]) -> Outcome {
    let client = open().await?;
    let mut subscriber = subscribe(&client, pattern).await?;
    for subject in outside.iter().chain(inside) {
        client.publish(subject.to_string(), Bytes::new()).await?;
    }
    for subject in inside {
        equal(next(&mut subscriber).await?.subject.as_str(), *subject, "subject")?;
    }
    expect_nothing(&client, &mut subscriber).await
}

async fn wildcard_star() -> Outcome {
    matching(
        "star.*.end",
        &["star.a.end", "star.b-1.end"],
        &["star.end", "star.a.b.end", "star.a.other", "star.a.end.more"],
    )
    .await
}

async fn wildcard_full() -> Outcome {
    matching("full.>", &["full.a", "full.a.b.c.d"], &["full", "fuller.a", "other.full.a"]).await
}

async fn queue_group() -> Outcome {
    let publisher = open().await?;
    let (sender, mut shared) = tokio::sync::mpsc::channel(1000);
    let mut members = Vec::new();
    for index in 0..3 {
        let member = open().await?;
        let mut subscriber = member.queue_subscribe("work.>", "workers".to_string()).await?;
        settle(&member).await?;
        members.push(member);
        let sender = sender.clone();
        tokio::spawn(async move {
            while let Some(message) = subscriber.next().await {
                let _ = sender
                    .send((index, String::from_utf8_lossy(&message.payload).into_owned()))
                    .await;
            }
        });
    }
    let mut everything = subscribe(&publisher, "work.*").await?;
    let mut wanted = numbered(300);
    for (index, text) in wanted.iter().enumerate() {
        publisher.publish(format!("work.{}", index % 7), text.clone().into()).await?;
    }
    expect(&mut everything, &wanted).await?;
    let (mut texts, mut counts) = (Vec::new(), [0; 3]);
    while texts.len() < 300 {
        let received = tokio::time::timeout(WAIT_TIME, shared.recv()).await;
        let (index, text) =
            received.map_err(|_| format!("{} shared", texts.len()))?.ok_or("end")?;
        counts[index] += 1;
        texts.push(text);
    }
    texts.sort();
    wanted.sort();
    equal(texts, wanted, "each message once")?;
    truth(tokio::time::timeout(QUIET_TIME, shared.recv()).await.is_err(), "one too many")?;
    truth(counts.iter().all(|count| *count > 0), format!("a member had none: {counts:?}"))
}

/// Answers every request on the subject with `re: ` and its text, until its client goes.
async fn answer(client: &Client, subject: &str) -> Outcome {
    let mut subscriber = subscribe(client, subject).await?;
    let client = client.clone();
    tokio::spawn(async move {
        while let Some(message) = subscriber.next().await {
            if let Some(reply) = message.reply {
                let text = [b"re: ", message.payload.as_ref()].concat();
                let _ = client.publish(reply, text.into()).await;
            }
        }
    });
    Ok(())
}

async fn request_reply() -> Outcome {
    let (server, client) = (open().await?, open().await?);
    answer(&server, "ask").await?;
    for text in numbered(20) {
        let reply = client.request("ask", text.clone().into()).await?;
        equal(reply.payload, Bytes::from(format!("re: {text}")), "reply")?;
    }
    // With an inbox of its own the request has a subscription of its own.
    let request = async_nats::Request::new().payload("own".into()).inbox(client.new_inbox());
    let reply = client.send_request("ask", request).await?;
    equal(reply.payload, Bytes::from("re: own"), "reply to its own inbox")
}

async fn request_concurrent() -> Outcome {
    let (server, client) = (open().await?, open().await?);
    answer(&server, "many.*").await?;
    let texts = numbered(200);
    let asked = texts
        .iter()
        .enumerate()
        .map(|(index, text)| client.request(format!("many.{index}"), text.clone().into()));
    for (reply, text) in join_all(asked).await.into_iter().zip(&texts) {
        equal(reply?.payload, Bytes::from(format!("re: {text}")), "reply")?;
    }
    Ok(())
}

async fn request_timeout() -> Outcome {
    let (server, client) = (open().await?, open().await?);
    let _silent = subscribe(&server, "silent").await?;
    let request = async_nats::Request::new().timeout(Some(Duration::from_millis(300)));
    let error = client.send_request("silent", request).await.err();
    equal(error.map(|error| error.kind()), Some(RequestErrorKind::TimedOut), "the request's error")
}

async fn no_responders() -> Outcome {
    let client = open().await?;
    expect_no_responders(&client, "nobody.home").await?;
    let mut inbox = subscribe(&client, "my.inbox").await?;
    client.publish_with_reply("nobody.home", "my.inbox", Bytes::new()).await?;
    equal(next(&mut inbox).await?.status, Some(StatusCode::NO_RESPONDERS), "status")
}

async fn headers() -> Outcome {
    let client = open().await?;
    let mut subscriber = subscribe(&client, "headers").await?;
    let mut sent = HeaderMap::new();
    sent.insert("One", "1");
    sent.append("Many", "first");
    sent.append("Many", "second");
    sent.insert("lower-case", "a b  c");
    sent.insert("Word", "слово");
    client.publish_with_headers("headers", sent.clone(), "body".into()).await?;
    let mut alone = HeaderMap::new();
    alone.insert("Only", "headers");
    client.publish_with_headers("headers", alone.clone(), Bytes::new()).await?;
    client.publish("headers", "plain".into()).await?;
    let first = next(&mut subscriber).await?;
    equal(first.headers, Some(sent), "headers")?;
    equal(first.payload, Bytes::from("body"), "payload")?;
    let second = next(&mut subscriber).await?;
    equal((second.headers, second.payload), (Some(alone), Bytes::new()), "headers alone")?;
    let third = next(&mut subscriber).await?;
    equal((third.headers, third.payload), (None, Bytes::from("plain")), "no headers")
}

async fn headers_request() -> Outcome {
    let (server, client) = (open().await?, open().await?);
    let mut subscriber = subscribe(&server, "ask.headers").await?;
    tokio::spawn(async move {
        while let Some(message) = subscriber.next().await {
            let mut headers = HeaderMap::new();
            if let Some(asked) = message.headers.as_ref().and_then(|headers| headers.get("Ask")) {
                headers.insert("Echo", asked.as_str());
            }
            if let Some(reply) = message.reply {
                let _ = server.publish_with_headers(reply, headers, "yes".into()).await;
            }
        }
    });
    let mut asked = HeaderMap::new();
    asked.insert("Ask", "me");
    let reply = client.request_with_headers("ask.headers", asked, "?".into()).await?;
    let echoed = reply.headers.as_ref().and_then(|headers| headers.get("Echo"));
    equal(echoed.map(|value| value.as_str()), Some("me"), "the reply's header")?;
    equal(reply.payload, Bytes::from("yes"), "reply")
}

async fn payload_1mib() -> Outcome {
    let (publisher, receiver) = (open().await?, open().await?);
    let mut subscriber = subscribe(&receiver, "large").await?;
    let mut state = 88172645463325252u64;
    let payload: Bytes = (0..MIB)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect();
    for _ in 0..5 {
        publisher.publish("large", payload.clone()).await?;
    }
    settle(&publisher).await?;
    for _ in 0..5 {
        truth(next(&mut subscriber).await?.payload == payload, "the bytes differ")?;
    }
    Ok(())
}

async fn max_payload() -> Outcome {
    let client = open().await?;
    equal(client.max_payload(), MIB, "max_payload")?;
    let error = client.publish("large", vec![0; MIB + 1].into()).await.err();
    let kind = error.map(|error| error.kind());
    equal(kind, Some(PublishErrorKind::MaxPayloadExceeded), "the error")?;
    settle(&client).await
}

async fn no_echo() -> Outcome {
    let (silent, other) = (options().no_echo().connect(env("OPEN")).await?, open().await?);
    let mut subscriber = subscribe(&silent, "echo").await?;
    publish_all(&silent, "echo", &["own".to_string()]).await?;
    publish_all(&other, "echo", &["other's".to_string()]).await?;
    expect(&mut subscriber, &["other's".to_string()]).await?;
    expect_nothing(&silent, &mut subscriber).await
}

async fn unsubscribe() -> Outcome {
    let (client, publisher) = (open().await?, open().await?);
    let mut first = subscribe(&client, "un").await?;
    let mut second = subscribe(&client, "un").await?;
    publish_all(&publisher, "un", &["1".to_string()]).await?;
    expect(&mut second, &["1".to_string()]).await?;
    expect(&mut first, &["1".to_string()]).await?;
    first.unsubscribe().await?;
    settle(&client).await?;
    publish_all(&publisher, "un", &["2".to_string()]).await?;
    expect(&mut second, &["2".to_string()]).await?;
    expect_end(&mut first).await
}

async fn auto_unsubscribe() -> Outcome {
    let (client, publisher) = (open().await?, open().await?);
    let mut subscriber = subscribe(&client, "auto").await?;
    subscriber.unsubscribe_after(5).await?;
    settle(&client).await?;
    publish_all(&publisher, "auto", &numbered(10)).await?;
    expect(&mut subscriber, &numbered(5)).await?;
    expect_end(&mut subscriber).await?;
    expect_no_responders(&publisher, "auto").await
}

async fn drain_subscription() -> Outcome {
    let (client, publisher) = (open().await?, open().await?);
    let mut subscriber = subscribe(&client, "drain").await?;
    publish_all(&publisher, "drain", &numbered(100)).await?;
    subscriber.drain().await?;
    expect(&mut subscriber, &numbered(100)).await?;
    expect_end(&mut subscriber).await?;
    expect_no_responders(&publisher, "drain").await
}

async fn drain_connection() -> Outcome {
    let publisher = open().await?;
    let client = open().await?;
    let mut first = subscribe(&client, "drained").await?;
    let mut second = subscribe(&client, "drained").await?;
    publish_all(&publisher, "drained", &numbered(100)).await?;
    client.drain().await?;
    for subscriber in [&mut first, &mut second] {
        expect(subscriber, &numbered(100)).await?;
        expect_end(subscriber).await?;
    }
    expect_no_responders(&publisher, "drained").await?;
    let end = tokio::time::Instant::now() + WAIT_TIME;
    while client.publish("drained", Bytes::new()).await.is_ok() {
        truth(tokio::time::Instant::now() < end, "a drained client still publishes")?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn flush_rtt() -> Outcome {
    let client = open().await?;
    for _ in 0..20 {
        client.publish("flush", "text".into()).await?;
        client.flush().await?;
        settle(&client).await?;
    }
    Ok(())
}

async fn close() -> Outcome {
    let client = open().await?;
    let other = open().await?;
    let subscriber = subscribe(&client, "closing").await?;
    // Its connection goes, soon, with the last owner of the client; the server then knows nobody.
    drop(subscriber);
    drop(client);
    let end = tokio::time::Instant::now() + WAIT_TIME;
    loop {
        let request = async_nats::Request::new().timeout(Some(Duration::from_millis(100)));
        match other.send_request("closing", request).await {
            Err(error) if error.kind() == RequestErrorKind::NoResponders => return Ok(()),
            _ => truth(tokio::time::Instant::now() < end, "the server still delivers")?,
        }
    }
}

async fn many_subscriptions() -> Outcome {
    let client = open().await?;
    let mut subscribers = Vec::new();
    for index in 0..2000 {
        subscribers.push(client.subscribe(format!("many.{index}.*")).await?);
    }
    for index in 0..2000 {
        client.publish(format!("many.{index}.x"), index.to_string().into()).await?;
    }
    for (index, subscriber) in subscribers.iter_mut().enumerate() {
        expect(subscriber, &[index.to_string()]).await?;
    }
    Ok(())
}

async fn burst() -> Outcome {
    const COUNT: usize = 50_000;
    let publisher = open().await?;
    let receiver = options().subscription_capacity(COUNT).connect(env("OPEN")).await?;
    let mut subscriber = subscribe(&receiver, "burst").await?;
    for index in 0..COUNT {
        publisher.publish("burst", format!("{index:08}{:0120}", 0).into()).await?;
    }
    publisher.flush().await?;
    for index in 0..COUNT {
        let message = next(&mut subscriber).await?;
        let number: usize = std::str::from_utf8(&message.payload[..8])?.parse()?;
        equal(number, index, "order")?;
    }
    Ok(())
}

async fn wait_for(
    events: &mut tokio::sync::mpsc::UnboundedReceiver<Event>,
    wanted: Event,
) -> Outcome {
    loop {
        match tokio::time::timeout(WAIT_TIME, events.recv()).await {
            Ok(Some(event)) if event == wanted => return Ok(()),
            Ok(Some(_)) => {}
            _ => return Err(format!("waited in vain for {wanted:?}").into()),
        }
    }
}

async fn reconnect() -> Outcome {
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let client = options()
        .max_reconnects(None)
        .reconnect_delay_callback(|_| Duration::from_millis(50))
        .event_callback(move |event| {
            let _ = sender.send(event);
            async {}
        })
        .connect(env("RESTART"))
        .await?;
    let mut plain = subscribe(&client, "again.*").await?;
    let mut queue = client.queue_subscribe("again.>", "workers".to_string()).await?;
    wait_for(&mut events, Event::Connected).await?;
    publish_all(&client, "again.before", &["before".to_string()]).await?;
    expect(&mut plain, &["before".to_string()]).await?;
    expect(&mut queue, &["before".to_string()]).await?;
    call("kill").await?;
    wait_for(&mut events, Event::Disconnected).await?;
    call("start").await?;
    wait_for(&mut events, Event::Connected).await?;
    publish_all(&client, "again.after", &["after".to_string()]).await?;
    expect(&mut plain, &["after".to_string()]).await?;
    expect(&mut queue, &["after".to_string()]).await
}
