// SPDX-License-Identifier: Apache-2.0
//
// nats.go against the servers named in the environment. One line a check, a closing line, and
// `call WORD` lines by which it asks the runner to kill or start a server. See ../README.md.

package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

func main() {
	os.Exit(runAll([]check{
		{"connect_plain", connectPlain},
		{"server_info", serverInfo},
		{"connect_user", connectUser},
		{"connect_user_url", connectUserURL},
		{"connect_user_wrong", connectUserWrong},
		{"connect_user_missing", connectUserMissing},
		{"connect_token", connectToken},
		{"connect_token_wrong", connectTokenWrong},
		{"publish_subscribe", publishSubscribe},
		{"binary_payload", binaryPayload},
		{"empty_payload", emptyPayload},
		{"wildcard_star", wildcardStar},
		{"wildcard_full", wildcardFull},
		{"queue_group", queueGroup},
		{"request_reply", requestReply},
		{"request_concurrent", requestConcurrent},
		{"request_timeout", requestTimeout},
		{"no_responders", noResponders},
		{"headers", headers},
		{"headers_request", headersRequest},
		{"payload_1mib", payload1MiB},
		{"max_payload", maxPayload},
		{"no_echo", noEcho},
		{"unsubscribe", unsubscribe},
		{"auto_unsubscribe", autoUnsubscribe},
		{"drain_subscription", drainSubscription},
		{"drain_connection", drainConnection},
		{"flush_rtt", flushRTT},
		{"verbose_pedantic", verbosePedantic},
		{"close", closeConnection},
		{"many_subscriptions", manySubscriptions},
		{"burst", burst},
		{"reconnect", reconnect},
	}))
}

func connectPlain(c *checked) {
	truth(c.connect(open).IsConnected(), "not connected")
}

func serverInfo(c *checked) {
	connection := c.connect(open)
	truth(connection.HeadersSupported(), "no headers")
	truth(connection.MaxPayload() == mib, "max_payload %d", connection.MaxPayload())
	truth(len(connection.ConnectedServerId()) == 56, "server_id %s", connection.ConnectedServerId())
	truth(connection.ConnectedServerName() != "", "no server_name")
	ip, err := connection.GetClientIP()
	good(err)
	truth(ip.String() == "127.0.0.1", "client_ip %v", ip)
	version := strings.Split(connection.ConnectedServerVersion(), ".")
	minor, err := strconv.Atoi(version[1])
	good(err)
	truth(version[0] == "2" && minor >= 15, "version %v", version)
	first, err := connection.GetClientID()
	good(err)
	second, err := c.connect(open).GetClientID()
	good(err)
	truth(second > first, "client ids %d, then %d", first, second)
	truth(!connection.AuthRequired(), "auth_required")
	truth(c.connect(token, nats.Token(tokenWord)).AuthRequired(), "no auth_required")
}

func connectUser(c *checked) {
	good(c.connect(user, nats.UserInfo(userName, userPassword)).Flush())
}

func connectUserURL(c *checked) {
	url := strings.Replace(user, "//", "//"+userName+":"+userPassword+"@", 1)
	good(c.connect(url).Flush())
}

func refused(url string, options ...nats.Option) {
	connection, err := nats.Connect(url, options...)
	if err == nil {
		connection.Close()
	}
	truth(errors.Is(err, nats.ErrAuthorization), "the error was: %v", err)
}

func connectUserWrong(*checked) {
	refused(user, nats.UserInfo(userName, "wrong"))
	refused(user, nats.UserInfo("nobody", userPassword))
}

func connectUserMissing(*checked) {
	refused(user)
}

func connectToken(c *checked) {
	good(c.connect(token, nats.Token(tokenWord)).Flush())
	good(c.connect(strings.Replace(token, "//", "//"+tokenWord+"@", 1)).Flush())
}

func connectTokenWrong(*checked) {
	refused(token, nats.Token("wrong"))
}

func subscribe(connection *nats.Conn, subject string) *nats.Subscription {
	subscription, err := connection.SubscribeSync(subject)
	good(err)
	good(subscription.SetPendingLimits(-1, -1))
	good(connection.Flush())
	return subscription
}

func publishSubscribe(c *checked) {
	publisher, subscriber := c.connect(open), c.connect(open)
	subscription := subscribe(subscriber, "ps.one")
	publishAll(publisher, "ps.one", numbered(1000))
	publishAll(publisher, "ps.two", []string{"elsewhere"})
	expect(subscription, numbered(1000)...)
	expectNothing(subscriber, subscription)
}

func binaryPayload(c *checked) {
	connection := c.connect(open)
	subscription := subscribe(connection, "binary")
	payload := make([]byte, 0, 300)
	for value := range 256 {
		payload = append(payload, byte(value))
	}
	text := string(payload) + "\r\nMSG x 1 1\r\nPING\r\n"
	publishAll(connection, "binary", []string{text})
	expect(subscription, text)
}

func emptyPayload(c *checked) {
	connection := c.connect(open)
	subscription := subscribe(connection, "empty")
	publishAll(connection, "empty", []string{"", "after"})
	expect(subscription, "", "after")
}

func matching(c *checked, pattern string, inside, outside []string) {
	connection := c.connect(open)
	subscription := subscribe(connection, pattern)
	for _, subject := range append(slices.Clone(outside), inside...) {
		publishAll(connection, subject, []string{subject})
	}
	expect(subscription, inside...)
	expectNothing(connection, subscription)
}

func wildcardStar(c *checked) {
	matching(c, "star.*.end", []string{"star.a.end", "star.b-1.end"},
		[]string{"star.end", "star.a.b.end", "star.a.other", "star.a.end.more"})
}

func wildcardFull(c *checked) {
	matching(c, "full.>", []string{"full.a", "full.a.b.c.d"},
		[]string{"full", "fuller.a", "other.full.a"})
}

func queueGroup(c *checked) {
	var lock sync.Mutex
	var texts []string
	counts := make([]int, 3)
	done := make(chan struct{})
	for index := range counts {
		member := c.connect(open)
		_, err := member.QueueSubscribe("work.>", "workers", func(message *nats.Msg) {
			lock.Lock()
			defer lock.Unlock()
			counts[index]++
			if texts = append(texts, string(message.Data)); len(texts) == 300 {
				close(done)
			}
		})
		good(err)
		good(member.Flush())
	}
	publisher := c.connect(open)
	everything := subscribe(publisher, "work.*")
	wanted := numbered(300)
	for index, text := range wanted {
		good(publisher.Publish(fmt.Sprintf("work.%d", index%7), []byte(text)))
	}
	expect(everything, wanted...)
	waitFor(done, "300 shared messages")
	time.Sleep(quietTime)
	lock.Lock()
	defer lock.Unlock()
	slices.Sort(texts)
	slices.Sort(wanted)
	truth(slices.Equal(texts, wanted), "%d messages, not each of 300 once", len(texts))
	truth(slices.Min(counts) > 0, "a member had none: %v", counts)
}

func requestReply(c *checked) {
	server := c.connect(open)
	_, err := server.Subscribe("ask", func(message *nats.Msg) {
		_ = message.Respond(append([]byte("re: "), message.Data...))
	})
	good(err)
	good(server.Flush())
	for _, client := range []*nats.Conn{c.connect(open), c.connect(open, nats.UseOldRequestStyle())} {
		for _, text := range numbered(20) {
			reply, err := client.Request("ask", []byte(text), waitTime)
			good(err)
			truth(string(reply.Data) == "re: "+text, "reply %q", reply.Data)
		}
	}
}

func requestConcurrent(c *checked) {
	server, client := c.connect(open), c.connect(open)
	_, err := server.Subscribe("many.*", func(message *nats.Msg) {
		_ = message.Respond(append([]byte(message.Subject+" "), message.Data...))
	})
	good(err)
	good(server.Flush())
	results := make(chan error, 200)
	for index := range 200 {
		go func() {
			subject, text := fmt.Sprintf("many.%d", index), fmt.Sprintf("request %d", index)
			reply, err := client.Request(subject, []byte(text), waitTime)
			if err == nil && string(reply.Data) != subject+" "+text {
				err = fmt.Errorf("reply %q to %q", reply.Data, text)
			}
			results <- err
		}()
	}
	for range 200 {
		good(<-results)
	}
}

func requestTimeout(c *checked) {
	server, client := c.connect(open), c.connect(open)
	subscribe(server, "silent")
	_, err := client.Request("silent", nil, 300*time.Millisecond)
	truth(errors.Is(err, nats.ErrTimeout), "the error was: %v", err)
}

func noResponders(c *checked) {
	client := c.connect(open)
	for _, one := range []*nats.Conn{client, c.connect(open, nats.UseOldRequestStyle())} {
		_, err := one.Request("nobody.home", nil, waitTime)
		truth(errors.Is(err, nats.ErrNoResponders), "the error was: %v", err)
	}
	inbox := subscribe(client, "my.inbox")
	good(client.PublishRequest("nobody.home", "my.inbox", nil))
	_, err := inbox.NextMsg(waitTime)
	truth(errors.Is(err, nats.ErrNoResponders), "the inbox got: %v", err)
}

func headers(c *checked) {
	connection := c.connect(open)
	subscription := subscribe(connection, "headers")
	sent := nats.Header{
		"One": {"1"}, "Many": {"first", "second"}, "lower-case": {"a b  c"}, "Word": {"слово"},
	}
	good(connection.PublishMsg(&nats.Msg{Subject: "headers", Header: sent, Data: []byte("body")}))
	alone := nats.Header{"Only": {"headers"}}
	good(connection.PublishMsg(&nats.Msg{Subject: "headers", Header: alone}))
	good(connection.Publish("headers", []byte("plain")))
	message, err := subscription.NextMsg(waitTime)
	good(err)
	truth(len(message.Header) == len(sent), "headers %v", message.Header)
	for key, values := range sent {
		truth(slices.Equal(message.Header[key], values), "%s: %v", key, message.Header[key])
	}
	truth(string(message.Data) == "body", "payload %q", message.Data)
	message, err = subscription.NextMsg(waitTime)
	good(err)
	truth(message.Header.Get("Only") == "headers" && len(message.Data) == 0, "headers alone")
	message, err = subscription.NextMsg(waitTime)
	good(err)
	truth(message.Header == nil && string(message.Data) == "plain", "no headers: %v", message.Header)
}

func headersRequest(c *checked) {
	server, client := c.connect(open), c.connect(open)
	_, err := server.Subscribe("ask.headers", func(message *nats.Msg) {
		reply := nats.NewMsg(message.Reply)
		reply.Header.Set("Echo", message.Header.Get("Ask"))
		reply.Data = []byte("yes")
		_ = message.RespondMsg(reply)
	})
	good(err)
	good(server.Flush())
	asked := nats.NewMsg("ask.headers")
	asked.Header.Set("Ask", "me")
	reply, err := client.RequestMsg(asked, waitTime)
	good(err)
	truth(reply.Header.Get("Echo") == "me" && string(reply.Data) == "yes", "reply %v", reply)
}

func payload1MiB(c *checked) {
	publisher, subscriber := c.connect(open), c.connect(open)
	subscription := subscribe(subscriber, "large")
	payload := make([]byte, mib)
	_, _ = rand.Read(payload)
	text := string(payload)
	publishAll(publisher, "large", []string{text, text, text, text, text})
	expect(subscription, text, text, text, text, text)
}

func maxPayload(c *checked) {
	connection := c.connect(open)
	err := connection.Publish("large", make([]byte, mib+1))
	truth(errors.Is(err, nats.ErrMaxPayload), "the error was: %v", err)
	good(connection.Flush())
}

func noEcho(c *checked) {
	silent, other := c.connect(open, nats.NoEcho()), c.connect(open)
	subscription := subscribe(silent, "echo")
	publishAll(silent, "echo", []string{"own"})
	publishAll(other, "echo", []string{"other's"})
	expect(subscription, "other's")
	expectNothing(silent, subscription)
}

func unsubscribe(c *checked) {
	connection, publisher := c.connect(open), c.connect(open)
	var gone atomic.Int32
	first, err := connection.Subscribe("un", func(*nats.Msg) { gone.Add(1) })
	good(err)
	second := subscribe(connection, "un")
	publishAll(publisher, "un", []string{"1"})
	expect(second, "1")
	until(func() bool { return gone.Load() == 1 }, "the first's message")
	good(first.Unsubscribe())
	good(connection.Flush())
	publishAll(publisher, "un", []string{"2"})
	expect(second, "2")
	truth(gone.Load() == 1, "the first got %d", gone.Load())
	truth(!first.IsValid(), "the first is still valid")
}

func autoUnsubscribe(c *checked) {
	connection, publisher := c.connect(open), c.connect(open)
	subscription := subscribe(connection, "auto")
	good(subscription.AutoUnsubscribe(5))
	good(connection.Flush())
	publishAll(publisher, "auto", numbered(10))
	expect(subscription, numbered(5)...)
	_, err := subscription.NextMsg(waitTime)
	truth(errors.Is(err, nats.ErrMaxMessages) || errors.Is(err, nats.ErrBadSubscription),
		"the sixth: %v", err)
	_, err = publisher.Request("auto", nil, waitTime)
	truth(errors.Is(err, nats.ErrNoResponders), "the server still delivers: %v", err)
}

func drainSubscription(c *checked) {
	connection, publisher := c.connect(open), c.connect(open)
	var got atomic.Int32
	subscription, err := connection.Subscribe("drain", func(*nats.Msg) {
		time.Sleep(time.Millisecond)
		got.Add(1)
	})
	good(err)
	done := make(chan struct{})
	subscription.SetClosedHandler(func(string) { close(done) })
	good(connection.Flush())
	publishAll(publisher, "drain", numbered(100))
	good(connection.Flush())
	good(subscription.Drain())
	waitFor(done, "the subscription's end")
	truth(got.Load() == 100, "%d of the 100 that came before the drain", got.Load())
	_, err = publisher.Request("drain", nil, waitTime)
	truth(errors.Is(err, nats.ErrNoResponders), "the server still delivers: %v", err)
}

func drainConnection(c *checked) {
	done := make(chan struct{})
	publisher := c.connect(open)
	connection := c.connect(open, nats.ClosedHandler(func(*nats.Conn) { close(done) }))
	replies := subscribe(publisher, "drained.reply")
	_, err := connection.Subscribe("drained", func(message *nats.Msg) {
		time.Sleep(time.Millisecond)
		_ = connection.Publish("drained.reply", message.Data)
	})
	good(err)
	good(connection.Flush())
	publishAll(publisher, "drained", numbered(100))
	good(connection.Drain())
	waitFor(done, "the connection's end")
	truth(connection.IsClosed(), "not closed")
	expect(replies, numbered(100)...)
}

func flushRTT(c *checked) {
	connection := c.connect(open)
	for range 20 {
		good(connection.FlushTimeout(waitTime))
	}
	trip, err := connection.RTT()
	good(err)
	truth(trip > 0 && trip < waitTime, "round trip %v", trip)
}

func verbosePedantic(c *checked) {
	raw := func(options *nats.Options) error {
		options.Verbose, options.Pedantic = true, true
		return nil
	}
	connection := c.connect(open, raw)
	subscription := subscribe(connection, "verbose")
	publishAll(connection, "verbose", numbered(50))
	expect(subscription, numbered(50)...)
}

func closeConnection(c *checked) {
	connection := c.connect(open)
	connection.Close()
	err := connection.Publish("closed", nil)
	truth(errors.Is(err, nats.ErrConnectionClosed), "the error was: %v", err)
}

func manySubscriptions(c *checked) {
	connection := c.connect(open)
	subscriptions := make([]*nats.Subscription, 2000)
	for index := range subscriptions {
		subscription, err := connection.SubscribeSync(fmt.Sprintf("many.%d.*", index))
		good(err)
		subscriptions[index] = subscription
	}
	for index := range subscriptions {
		good(connection.Publish(fmt.Sprintf("many.%d.x", index), []byte(strconv.Itoa(index))))
	}
	for index, subscription := range subscriptions {
		expect(subscription, strconv.Itoa(index))
	}
}

func burst(c *checked) {
	publisher, subscriber := c.connect(open), c.connect(open)
	subscription := subscribe(subscriber, "burst")
	const count = 50_000
	for index := range count {
		good(publisher.Publish("burst", fmt.Appendf(nil, "%08d%0120d", index, 0)))
	}
	good(publisher.Flush())
	for index := range count {
		message, err := subscription.NextMsg(waitTime)
		good(err)
		number, err := strconv.Atoi(string(message.Data[:8]))
		good(err)
		truth(number == index, "message %d came as %d", number, index)
	}
}

func reconnect(c *checked) {
	lost, back := make(chan struct{}), make(chan struct{})
	connection, err := nats.Connect(restart, nats.MaxReconnects(-1),
		nats.ReconnectWait(50*time.Millisecond), nats.ReconnectJitter(0, 0),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { close(lost) }),
		nats.ReconnectHandler(func(*nats.Conn) { close(back) }))
	good(err)
	plain := subscribe(connection, "again.*")
	queue, err := connection.QueueSubscribeSync("again.>", "workers")
	good(err)
	publishAll(connection, "again.before", []string{"before"})
	expect(plain, "before")
	expect(queue, "before")
	call("kill")
	waitFor(lost, "the loss")
	// Kept by the client until it is back, then sent after its subscriptions.
	good(connection.Publish("again.meanwhile", []byte("meanwhile")))
	call("start")
	waitFor(back, "the return")
	publishAll(connection, "again.after", []string{"after"})
	expect(plain, "meanwhile", "after")
	expect(queue, "meanwhile", "after")
	connection.SetDisconnectErrHandler(nil) // Closing would run it again.
	connection.Close()
}
