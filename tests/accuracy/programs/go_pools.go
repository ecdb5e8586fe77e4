// SPDX-License-Identifier: Apache-2.0
// Go's net/http, whose calls are made by workers that get them through channels, in many ways; each
// request takes one of them by chance, or the one that POOL names: /r.h/TOKEN.

package main

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	mathrand "math/rand"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

var (
	logFile, _ = os.OpenFile(os.Getenv("LOG"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	client     = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	redis      = make(chan net.Conn, 4)
)

// Four connections, which users take out of a channel and put back.
func askRedis(token string) {
	connection := <-redis
	ask(connection, token)
	redis <- connection
}

func ask(connection net.Conn, token string) {
	fmt.Fprintf(connection, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(token), token)
	bufio.NewReader(connection).ReadString('\n')
}

func askHTTP(token string) {
	response, err := client.Get("http://127.0.0.1:" + os.Getenv("LEAF_PORT") + "/leaf/" + token)
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

type job struct {
	letter rune
	token  string
	done   chan bool
}

func run(each job) {
	if each.letter == 'r' {
		askRedis(each.token)
	} else {
		askHTTP(each.token)
	}
	each.done <- true
}

// Workers of which each is fed by the channel that it is given: a buffer, or none.
func fixed(jobs chan *job) func(job) {
	for i := 0; i < 4; i++ {
		go func() {
			for each := range jobs {
				run(*each)
			}
		}()
	}
	return func(each job) { jobs <- &each }
}

// Workers that wait for several things at once, one of which is a clock.
func selecting() func(job) {
	jobs, urgent := make(chan job, 8), make(chan job)
	for i := 0; i < 4; i++ {
		go func() {
			clock := time.NewTicker(5 * time.Millisecond)
			for {
				select {
				case each := <-jobs:
					run(each)
				case each := <-urgent:
					run(each)
				case <-clock.C:
				}
			}
		}()
	}
	return func(each job) {
		select {
		case urgent <- each:
		default:
			jobs <- each
		}
	}
}

// Workers that fetch a connection from a channel in the function that waits for jobs.
func fetching() func(job) {
	jobs := make(chan job)
	for i := 0; i < 8; i++ {
		go func() {
			for each := range jobs {
				if each.letter == 'r' {
					connection := <-redis
					ask(connection, each.token)
					redis <- connection
					each.done <- true
				} else {
					run(each)
				}
			}
		}()
	}
	return func(each job) { jobs <- each }
}

// Two stages: what the first hands on to the second is still for the same request.
func staged() func(job) {
	second := fixed(make(chan *job, 4))
	first := make(chan job, 4)
	for i := 0; i < 4; i++ {
		go func() {
			for each := range first {
				second(each)
			}
		}()
	}
	return func(each job) { first <- each }
}

// Workers that are started when one is needed, and stay for whatever comes.
func growing() func(job) {
	jobs := make(chan job)
	places := make(chan bool, 6)
	return func(each job) {
		select {
		case jobs <- each:
			return
		default:
		}
		select {
		case jobs <- each:
		case places <- true:
			go func() {
				run(each)
				for {
					select {
					case each := <-jobs:
						run(each)
					case <-time.After(time.Second):
						<-places
						return
					}
				}
			}()
		}
	}
}

// A goroutine for each call, but not more than so many at a time.
func limited() func(job) {
	places := make(chan struct{}, 6)
	return func(each job) {
		places <- struct{}{}
		go func() {
			defer func() { <-places }()
			run(each)
		}()
	}
}

// One goroutine keeps a line of its own, of what the workers have no time for.
func dispatched() func(job) {
	submitted, jobs := make(chan *job), make(chan *job)
	give := fixed(jobs)
	_ = give
	go func() {
		var waiting []*job
		for {
			if len(waiting) == 0 {
				waiting = append(waiting, <-submitted)
			}
			select {
			case each := <-submitted:
				waiting = append(waiting, each)
			case jobs <- waiting[0]:
				waiting = waiting[1:]
			}
		}
	}()
	return func(each job) { submitted <- &each }
}

// A line under a lock: a channel tells only that there is something in it.
func locked() func(job) {
	var lock sync.Mutex
	var line []job
	more := sync.NewCond(&lock)
	for i := 0; i < 4; i++ {
		go func() {
			for {
				lock.Lock()
				for len(line) == 0 {
					more.Wait()
				}
				each := line[0]
				line = line[1:]
				lock.Unlock()
				run(each)
			}
		}()
	}
	return func(each job) {
		lock.Lock()
		line = append(line, each)
		lock.Unlock()
		more.Signal()
	}
}

func newToken() string {
	bytes := make([]byte, 6)
	rand.Read(bytes)
	return hex.EncodeToString(bytes)
}

var pools = map[string]func(job){}

func poolOf() func(job) {
	if pool, ok := pools[os.Getenv("POOL")]; ok {
		return pool
	}
	n := mathrand.Intn(len(pools))
	for name, pool := range pools {
		if n--; n < 0 && name != "locked" {
			return pool
		}
	}
	return pools["fixed"]
}

func serve(response http.ResponseWriter, request *http.Request) {
	parts := strings.Split(request.URL.Path, "/")
	line := parts[2]
	var groups [][]job
	for _, letters := range strings.Split(strings.Trim(parts[1], "-"), ".") {
		var group []job
		for _, letter := range letters {
			group = append(group, job{letter, newToken(), make(chan bool, 1)})
			line += " " + group[len(group)-1].token
		}
		groups = append(groups, group)
	}
	logFile.WriteString(line + "\n")
	handOver := poolOf()
	for _, group := range groups {
		for _, each := range group {
			handOver(each)
		}
		for _, each := range group {
			<-each.done
		}
	}
	response.Write([]byte("ok"))
}

func main() {
	for i := 0; i < cap(redis); i++ {
		connection, err := net.Dial("tcp", "127.0.0.1:"+os.Getenv("REDIS_PORT"))
		if err != nil {
			panic(err)
		}
		redis <- connection
	}
	pools = map[string]func(job){
		"fixed":      fixed(make(chan *job)),
		"buffered":   fixed(make(chan *job, 16)),
		"selecting":  selecting(),
		"fetching":   fetching(),
		"staged":     staged(),
		"growing":    growing(),
		"limited":    limited(),
		"dispatched": dispatched(),
		"locked":     locked(),
	}
	http.HandleFunc("/", serve)
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
