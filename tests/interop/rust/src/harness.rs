// SPDX-License-Identifier: Apache-2.0
//
// What the checks of main.rs stand on: connections, complaints, time limits, and the lines the
// runner reads. Does not know what is checked.

use std::fmt::Debug;
use std::future::Future;
use std::io::BufRead;
use std::pin::Pin;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;

pub type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;
pub type Check = (&'static str, fn() -> Pin<Box<dyn Future<Output = Outcome> + Send>>);

pub const CHECK_TIME: Duration = Duration::from_secs(30);
pub const WAIT_TIME: Duration = Duration::from_secs(10);
/// Nothing more may come within it; a round trip before makes that a sure thing.
pub const QUIET_TIME: Duration = Duration::from_millis(150);
pub const MIB: usize = 1024 * 1024;

pub fn env(name: &str) -> String {
    std::env::var(format!("INTEROP_{name}")).expect("the runner names the servers")
}

pub fn truth(condition: bool, what: impl AsRef<str>) -> Outcome {
    if condition { Ok(()) } else { Err(what.as_ref().into()) }
}

pub fn equal<T: PartialEq + Debug>(found: T, wanted: T, what: &str) -> Outcome {
    let show = |value: &T| format!("{value:?}").chars().take(120).collect::<String>();
    truth(found == wanted, format!("{what}: {} instead of {}", show(&found), show(&wanted)))
}

/// One retry of a lost connection would hide its loss, so there is none.
pub fn options() -> ConnectOptions {
    ConnectOptions::new()
        .connection_timeout(WAIT_TIME)
        .max_reconnects(1)
        .request_timeout(Some(WAIT_TIME))
}

pub async fn open() -> Result<Client, async_nats::ConnectError> {
    options().connect(env("OPEN")).await
}

/// A round trip: after it the server has taken all that was sent before. `flush` of async-nats only
/// writes, so this asks a question that nobody answers.
pub async fn settle(client: &Client) -> Outcome {
    match client.request("nobody.settles", Bytes::new()).await {
        Err(error) if error.kind() == async_nats::RequestErrorKind::NoResponders => Ok(()),
        other => Err(format!("settling: {other:?}").into()),
    }
}

pub fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("message {index}")).collect()
}

pub async fn publish_all(client: &Client, subject: &str, texts: &[String]) -> Outcome {
    for text in texts {
        client.publish(subject.to_string(), text.clone().into()).await?;
    }
    settle(client).await
}

pub async fn next(subscriber: &mut Subscriber) -> Result<async_nats::Message, String> {
    match tokio::time::timeout(WAIT_TIME, subscriber.next()).await {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err("the subscription has ended".into()),
        Err(_) => Err("no message came".into()),
    }
}

pub async fn expect(subscriber: &mut Subscriber, wanted: &[String]) -> Outcome {
    for (index, text) in wanted.iter().enumerate() {
        let message = next(subscriber).await.map_err(|why| format!("message {index}: {why}"))?;
        equal(message.payload.as_ref(), text.as_bytes(), &format!("message {index}"))?;
    }
    Ok(())
}

pub async fn expect_end(subscriber: &mut Subscriber) -> Outcome {
    match tokio::time::timeout(WAIT_TIME, subscriber.next()).await {
        Ok(None) => Ok(()),
        Ok(Some(message)) => Err(format!("one too many: {:?}", message.payload).into()),
        Err(_) => Err("the subscription does not end".into()),
    }
}

pub async fn expect_nothing(client: &Client, subscriber: &mut Subscriber) -> Outcome {
    settle(client).await?;
    match tokio::time::timeout(QUIET_TIME, subscriber.next()).await {
        Err(_) => Ok(()),
        Ok(message) => Err(format!("one too many: {message:?}").into()),
    }
}

pub async fn expect_no_responders(client: &Client, subject: &str) -> Outcome {
    let error = client.request(subject.to_string(), Bytes::new()).await.err();
    equal(
        error.map(|error| error.kind()),
        Some(async_nats::RequestErrorKind::NoResponders),
        "the request's error",
    )
}

/// Asks the runner to do something to the server that can be restarted.
pub async fn call(word: &str) -> Outcome {
    println!("call {word}");
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    })
    .await??;
    equal(answer.trim(), "done", "the runner's answer")
}

pub async fn run_all(checks: Vec<Check>) -> i32 {
    let (mut passed, mut failed) = (0, 0);
    for (name, check) in checks {
        // As a task, so that a panic inside ends the check and not the program.
        let text = match tokio::time::timeout(CHECK_TIME, tokio::spawn(check())).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => Some(error.to_string()),
            Ok(Err(panic)) => Some(panic.to_string()),
            Err(_) => Some(format!("not within {CHECK_TIME:?}")),
        };
        match text {
            None => {
                println!("ok {name}");
                passed += 1;
            }
            Some(text) => {
                println!("not ok {name}: {}", text.replace('\n', " "));
                failed += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    i32::from(failed > 0)
}
