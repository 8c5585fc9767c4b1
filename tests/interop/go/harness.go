// SPDX-License-Identifier: Apache-2.0
//
// What the checks of main.go stand on: connections that end with their check, complaints that end
// a check, time limits, and the lines the runner reads. Does not know what is checked.

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	checkTime = 30 * time.Second
	waitTime  = 10 * time.Second
	quietTime = 150 * time.Millisecond // Nothing more may come; a flush makes that a sure thing.
	mib       = 1024 * 1024
)

var (
	open         = os.Getenv("INTEROP_OPEN")
	user         = os.Getenv("INTEROP_USER")
	token        = os.Getenv("INTEROP_TOKEN")
	restart      = os.Getenv("INTEROP_RESTART")
	userName     = os.Getenv("INTEROP_USER_NAME")
	userPassword = os.Getenv("INTEROP_USER_PASSWORD")
	tokenWord    = os.Getenv("INTEROP_TOKEN_WORD")

	input = bufio.NewScanner(os.Stdin)
)

// complaint ends a check from any depth of it; everything else that panics is a defect.
type complaint string

func fail(format string, arguments ...any) {
	panic(complaint(fmt.Sprintf(format, arguments...)))
}

func truth(condition bool, format string, arguments ...any) {
	if !condition {
		fail(format, arguments...)
	}
}

func good(err error) {
	if err != nil {
		fail("%v", err)
	}
}

// checked is one run of one check: it owns the connections opened in it.
type checked struct {
	opened []*nats.Conn
}

func (c *checked) connect(url string, options ...nats.Option) *nats.Conn {
	options = append([]nats.Option{nats.NoReconnect(), nats.Timeout(5 * time.Second)}, options...)
	connection, err := nats.Connect(url, options...)
	good(err)
	c.opened = append(c.opened, connection)
	return connection
}

func (c *checked) close() {
	for _, connection := range c.opened {
		connection.Close()
	}
}

func numbered(count int) []string {
	texts := make([]string, count)
	for index := range texts {
		texts[index] = fmt.Sprintf("message %d", index)
	}
	return texts
}

func publishAll(connection *nats.Conn, subject string, texts []string) {
	for _, text := range texts {
		good(connection.Publish(subject, []byte(text)))
	}
	good(connection.Flush())
}

func expect(subscription *nats.Subscription, wanted ...string) {
	for index, text := range wanted {
		message, err := subscription.NextMsg(waitTime)
		if err != nil {
			fail("message %d of %s: %v", index, subscription.Subject, err)
		}
		if !bytes.Equal(message.Data, []byte(text)) {
			fail("message %d of %s: %.100q, not %.100q", index, subscription.Subject, message.Data, text)
		}
	}
}

func expectNothing(connection *nats.Conn, subscription *nats.Subscription) {
	good(connection.Flush())
	if message, err := subscription.NextMsg(quietTime); err == nil {
		fail("one too many: %s %.100q", message.Subject, message.Data)
	}
}

func waitFor(done <-chan struct{}, what string) {
	select {
	case <-done:
	case <-time.After(waitTime):
		fail("waited in vain for %s", what)
	}
}

func until(condition func() bool, what string) {
	for end := time.Now().Add(waitTime); !condition(); time.Sleep(5 * time.Millisecond) {
		truth(time.Now().Before(end), "waited in vain for %s", what)
	}
}

// call asks the runner to do something to the server that can be restarted.
func call(word string) {
	fmt.Printf("call %s\n", word)
	truth(input.Scan() && input.Text() == "done", "the runner's answer: %q", input.Text())
}

type check struct {
	name string
	run  func(*checked)
}

// runOne says why the check failed, or nothing.
func runOne(one check) string {
	result := make(chan string, 1)
	go func() {
		held := &checked{}
		defer func() {
			text := ""
			if caught := recover(); caught != nil {
				text = strings.ReplaceAll(fmt.Sprint(caught), "\n", " ")
				if _, expected := caught.(complaint); !expected {
					fmt.Fprintf(os.Stderr, "%s\n", debug.Stack())
				}
				if text == "" {
					text = "no words"
				}
			}
			held.close()
			result <- text
		}()
		one.run(held)
	}()
	select {
	case text := <-result:
		return text
	case <-time.After(checkTime):
		return fmt.Sprintf("not within %v", checkTime)
	}
}

func runAll(checks []check) int {
	passed, failed := 0, 0
	for _, one := range checks {
		if text := runOne(one); text != "" {
			fmt.Printf("not ok %s: %s\n", one.name, text)
			failed++
		} else {
			fmt.Printf("ok %s\n", one.name)
			passed++
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return 1
	}
	return 0
}
