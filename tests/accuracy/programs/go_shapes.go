// SPDX-License-Identifier: Apache-2.0
// Go, with what services do besides calling. Letters of a plan, one after the other: r Redis, h
// HTTP, d DNS, n the next service; c a cache in front of Redis, x tries again after 4 ms, t a timer,
// s a part of the answer goes out, b the answer goes out and a goroutine works on. NEXT=http2: the
// next service is multiplexed (h2c) over one connection; SERVE=http2: so is this one.

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	mathrand "math/rand"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

var (
	logFile, _ = os.OpenFile(os.Getenv("LOG"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	client     = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	next       = client
	idle       = make(chan net.Conn, 256)
	resolver   = &net.Resolver{PreferGo: true, Dial: func(c context.Context, _, _ string) (net.Conn, error) {
		return dial("DNS", "udp"), nil
	}}
)

func dial(name, network string) net.Conn {
	connection, err := net.Dial(network, "127.0.0.1:"+os.Getenv(name+"_PORT"))
	if err != nil {
		panic(err)
	}
	return connection
}

func redis(token string) {
	var connection net.Conn
	select {
	case connection = <-idle:
	default:
		connection = dial("REDIS", "tcp")
	}
	fmt.Fprintf(connection, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(token), token)
	bufio.NewReader(connection).ReadString('\n')
	idle <- connection
}

func get(by *http.Client, within time.Duration, name, path string) bool {
	limit, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	url := "http://127.0.0.1:" + os.Getenv(name+"_PORT") + path
	request, _ := http.NewRequestWithContext(limit, "GET", url, nil)
	response, err := by.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil
}

func step(letter rune, fresh func() string) {
	switch letter {
	case 'c':
		if mathrand.Intn(2) == 0 {
			redis(fresh())
		}
	case 'r':
		redis(fresh())
	case 'h':
		get(client, time.Minute, "LEAF", "/leaf/"+fresh())
	case 'n':
		get(next, time.Minute, "NEXT", "/"+os.Getenv("NEXT_PLAN")+"/"+fresh())
	case 'd':
		resolver.LookupIP(context.Background(), "ip4", fresh()+".shop.")
	case 't':
		time.Sleep(time.Millisecond + time.Duration(mathrand.Intn(4000))*time.Microsecond)
	case 'x':
		for tries := 0; tries < 2; tries++ {
			if get(client, 4*time.Millisecond, "LEAF", "/leaf/"+fresh()) {
				return
			}
		}
		get(client, time.Minute, "LEAF", "/leaf/"+fresh())
	}
}

func serve(response http.ResponseWriter, request *http.Request) {
	parts := strings.Split(request.URL.Path, "/")
	fresh := func() string {
		bytes := make([]byte, 6)
		rand.Read(bytes)
		logFile.WriteString(parts[2] + " " + hex.EncodeToString(bytes) + "\n")
		return hex.EncodeToString(bytes)
	}
	now, later, _ := strings.Cut(parts[1], "b")
	for _, letter := range now {
		if letter == 's' {
			response.Write([]byte("part"))
			response.(http.Flusher).Flush()
		}
		step(letter, fresh)
	}
	response.Write([]byte("ok"))
	if later != "" {
		go func() {
			for _, letter := range later {
				step(letter, fresh)
			}
		}()
	}
}

func main() {
	mathrand.Seed(time.Now().UnixNano())
	if os.Getenv("NEXT") == "http2" {
		open := func(network, address string, _ *tls.Config) (net.Conn, error) {
			return net.Dial(network, address)
		}
		next = &http.Client{Transport: &http2.Transport{AllowHTTP: true, DialTLS: open}}
	}
	var handler http.Handler = http.HandlerFunc(serve)
	if os.Getenv("SERVE") == "http2" {
		handler = h2c.NewHandler(handler, &http2.Server{})
	}
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), handler))
}
