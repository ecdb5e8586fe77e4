// SPDX-License-Identifier: Apache-2.0
// Go's net/http: a goroutine per connection, calls over http.Client and a pool of connections to
// Redis. Calls between the same dots of a plan run in goroutines of their own: /r.hr/TOKEN.
// WORKERS=n: n goroutines, started before, make the calls, handed to them through a channel.

package main

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

var (
	logFile, _ = os.OpenFile(os.Getenv("LOG"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	client     = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	idle       = make(chan net.Conn, 64)
	workers, _ = strconv.Atoi(os.Getenv("WORKERS"))
)

func askRedis(token string) {
	var connection net.Conn
	select {
	case connection = <-idle:
	default:
		opened, err := net.Dial("tcp", "127.0.0.1:"+os.Getenv("REDIS_PORT"))
		if err != nil {
			panic(err)
		}
		connection = opened
	}
	fmt.Fprintf(connection, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(token), token)
	bufio.NewReader(connection).ReadString('\n')
	select {
	case idle <- connection:
	default:
		connection.Close()
	}
}

func askHTTP(token string) {
	response, err := client.Get("http://127.0.0.1:" + os.Getenv("LEAF_PORT") + "/leaf/" + token)
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func newToken() string {
	bytes := make([]byte, 6)
	rand.Read(bytes)
	return hex.EncodeToString(bytes)
}

type call struct {
	letter rune
	token  string
}

func run(each call) {
	if each.letter == 'r' {
		askRedis(each.token)
	} else {
		askHTTP(each.token)
	}
}

type job struct {
	call
	done chan struct{}
}

var jobs = make(chan job)

func work() {
	for each := range jobs {
		run(each.call)
		close(each.done)
	}
}

func handOver(each call) {
	done := make(chan struct{})
	jobs <- job{each, done}
	<-done
}

func serve(response http.ResponseWriter, request *http.Request) {
	parts := strings.Split(request.URL.Path, "/")
	line := parts[2]
	var groups [][]call
	for _, letters := range strings.Split(strings.Trim(parts[1], "-"), ".") {
		var group []call
		for _, letter := range letters {
			group = append(group, call{letter, newToken()})
			line += " " + group[len(group)-1].token
		}
		groups = append(groups, group)
	}
	logFile.WriteString(line + "\n")
	run := run
	if workers > 0 {
		run = handOver
	}
	for _, group := range groups {
		if len(group) == 1 {
			run(group[0])
			continue
		}
		var done sync.WaitGroup
		for _, each := range group {
			done.Add(1)
			go func(each call) {
				defer done.Done()
				run(each)
			}(each)
		}
		done.Wait()
	}
	response.Write([]byte("ok"))
}

func main() {
	for i := 0; i < workers; i++ {
		go work()
	}
	http.HandleFunc("/", serve)
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
