// A member made by HashiCorp's memberlist, for the interop test. It prints what it learns, one line each, and
// obeys signals: USR1 gossips a message, USR2 changes its metadata, TERM leaves.
package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/memberlist"
)

type member struct {
	name  string
	meta  atomic.Value
	queue *memberlist.TransmitLimitedQueue
}

type message []byte

func (m message) Invalidates(memberlist.Broadcast) bool { return false }
func (m message) Message() []byte                       { return m }
func (m message) Finished()                             {}

func (m *member) NodeMeta(int) []byte               { return []byte(m.meta.Load().(string)) }
func (m *member) NotifyMsg(b []byte)                { fmt.Printf("message %s\n", b) }
func (m *member) LocalState(bool) []byte            { return []byte("state-of-" + m.name) }
func (m *member) MergeRemoteState(b []byte, _ bool) { fmt.Printf("state %s\n", b) }

func (m *member) GetBroadcasts(overhead, limit int) [][]byte {
	return m.queue.GetBroadcasts(overhead, limit)
}

func (m *member) event(what string, n *memberlist.Node) {
	if n.Name != m.name {
		fmt.Printf("%s %s %s:%d %s\n", what, n.Name, n.Addr, n.Port, n.Meta)
	}
}

func (m *member) NotifyJoin(n *memberlist.Node)   { m.event("join", n) }
func (m *member) NotifyLeave(n *memberlist.Node)  { m.event("leave", n) }
func (m *member) NotifyUpdate(n *memberlist.Node) { m.event("update", n) }

func main() {
	name := flag.String("name", "go", "")
	bind := flag.String("bind", "127.0.0.1", "")
	join := flag.String("join", "", "comma-separated")
	key := flag.String("key", "", "hex")
	meta := flag.String("meta", "", "")
	flag.Parse()

	m := &member{name: *name}
	m.meta.Store(*meta)
	conf := memberlist.DefaultLANConfig()
	conf.Name = *name
	conf.BindAddr = *bind
	conf.Delegate = m
	conf.Events = m
	conf.Logger = log.New(os.Stdout, "log ", 0)
	if *key != "" {
		secret, err := hex.DecodeString(*key)
		if err != nil {
			log.Fatal(err)
		}
		conf.SecretKey = secret
	}
	m.queue = &memberlist.TransmitLimitedQueue{RetransmitMult: 4, NumNodes: func() int { return 3 }}
	list, err := memberlist.Create(conf)
	if err != nil {
		log.Fatal(err)
	}
	if *join != "" {
		if _, err := list.Join(strings.Split(*join, ",")); err != nil {
			fmt.Printf("failed %v\n", err)
		}
	}
	fmt.Println("ready")

	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM)
	for s := range signals {
		switch s {
		case syscall.SIGUSR1:
			m.queue.QueueBroadcast(message("hello-from-" + *name))
		case syscall.SIGUSR2:
			m.meta.Store("changed-by-" + *name)
			_ = list.UpdateNode(5 * time.Second)
		default:
			_ = list.Leave(5 * time.Second)
			_ = list.Shutdown()
			return
		}
	}
}
