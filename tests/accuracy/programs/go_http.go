// SPDX-License-Identifier: Apache-2.0
// Go's net/http: a goroutine per connection, calls over http.Client and a pool of connections to
// Redis. Calls between the same dots of a plan run in goroutines of their own: /r.hr/TOKEN.

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
	"strings"
	"sync"
)

var (
	logFile, _ = os.OpenFile(os.Getenv("LOG"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	client     = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	idle       = make(chan net.Conn, 64)
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
	http.HandleFunc("/", serve)
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
