package conformance_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sluicego/sluice/conformance"
	"github.com/sluicego/sluice/conformance/answer"
)

// TestMain lets this program be a peer that Drive asks, and a test that calls
// Run, where its arguments say so.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "peer":
			os.Exit(bePeer(os.Args[2], os.Args[3:]))
		case "run":
			beTest(os.Args[2])
		}
	}
	// A program that looks for races waits a second before it ends, unless told.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// linger is how long a peer stays that is to be ended: not for ever, so that
// none is left if a test fails.
const linger = 2 * never

// peer answers as the questions ask it to.
type peer struct {
	in    *bufio.Reader
	asked int
	stays bool   // when its input has ended
	last  string // what it writes to standard error then, and ends with 3
	call  func() // calls the test, once
}

// bePeer is the main function of a peer of some kind. The second argument is an
// address to call, if it is one.
func bePeer(kind string, args []string) int {
	p := &peer{in: bufio.NewReader(os.Stdin), call: func() {}}
	if len(args) > 0 && strings.HasPrefix(args[0], "127.") {
		p.call = func() {
			if _, err := net.Dial("tcp", args[0]); err != nil { // stays open until the process ends
				panic(err)
			}
		}
	}
	greeting := `{"protocol":"sluice-conformance","version":1,"name":"a peer"}`
	switch kind {
	case "good":
		p.call()
	case "quiet": // calls when it is asked to
	case "slow":
		<-time.After(50 * time.Millisecond)
	case "endless":
		p.stays = true
	case "ill":
		p.last = "cannot save\n"
	case "parent":
		if err := p.leaveChild(args[0]); err != nil {
			return p.end(9, err.Error())
		}
	case "marked":
		greeting = "\uFEFF" + greeting
	case "spread":
		greeting = strings.ReplaceAll(greeting, ",", ",\n  ")
	case "once":
		if _, err := os.Stat(args[0]); err == nil {
			return p.end(4, "not again\n")
		}
		if err := os.WriteFile(args[0], nil, 0o600); err != nil {
			return p.end(9, err.Error())
		}
	case "sluice":
		if err := conformance.Serve(os.Stdin, os.Stdout, "sluice", answer.Answer); err != nil {
			return p.end(1, err.Error())
		}
		return 0
	case "deaf":
		p.call()
		p.say(greeting)
		return p.stay()
	case "mute":
		p.call()
		return p.stay()
	case "gone":
		return 0
	case "crash":
		return p.end(4, "boom\n")
	case "hello":
		p.say("hello")
		return 0
	case "other":
		greeting = `{"protocol":"other"}`
	case "newer":
		p.say(`{"protocol":"sluice-conformance","version":2}`)
		return 5
	case "child":
		p.call()
		_ = p.end(0, "ready\n")
		return p.stay()
	default:
		return p.end(9, "there is no kind "+kind)
	}
	return p.serve(greeting)
}

func (p *peer) serve(greeting string) int {
	if _, err := p.in.ReadString('\n'); err != nil {
		return p.end(9, err.Error())
	}
	p.say(greeting)
	for {
		line, err := p.in.ReadBytes('\n')
		if err == io.EOF {
			if p.stays {
				p.call()
				return p.stay()
			}
			if p.last != "" {
				return p.end(3, p.last)
			}
			return 0
		}
		var q struct {
			ID    string                  `json:"id"`
			Given struct{ Please string } `json:"given"`
		}
		if err := json.Unmarshal(line, &q); err != nil {
			return p.end(9, err.Error())
		}
		p.asked++
		if ends, status := p.answer(q.ID, q.Given.Please); ends {
			return status
		}
	}
}

// answer answers a question as it pleases, and says whether the peer ends then.
func (p *peer) answer(id, please string) (ends bool, status int) {
	right := fmt.Sprintf(`{"id":%q,"then":{"steps":[],"end":{"asked":%d}}}`, id, p.asked)
	with := func(members string) string { return fmt.Sprintf(`{"id":%q%s}`, id, members) }
	switch please {
	case "", "nothing bad":
		p.say(right)
	case "be slow":
		<-time.After(50 * time.Millisecond)
		p.say(right)
	case "not know the area":
		p.say(with(`,"unknown_area":true`))
	case "say what is wrong":
		p.say(with(`,"failure":"it is wrong"`))
	case "answer nothing":
		p.say(with(``))
	case "answer without steps":
		p.say(with(`,"then":{"end":{}}`))
	case "answer without end":
		p.say(with(`,"then":{"steps":[]}`))
	case "answer at length":
		p.say(with(`,"then":{"steps":[],"end":{"text":"` + strings.Repeat("x", 2<<20) + `"}}`))
	case "have another id":
		p.say(strings.Replace(right, id, "another", 1))
	case "have no id":
		p.say(strings.Replace(right, "id", "no", 1))
	case "write no JSON":
		p.say("# a comment")
	case "write a list":
		p.say("[" + right + "]")
	case "write an empty line":
		p.say("")
	case "write two lines":
		p.say(right + "\n" + with(``))
	case "write with a mark":
		p.say("\uFEFF" + right)
	case "write over lines":
		p.say(strings.ReplaceAll(right, ",", ",\n  "))
	case "write many lines":
		p.say(strings.Repeat("many\n", 1<<20))
	case "write a long line":
		p.say(`{"id":"` + strings.Repeat("long", 5<<20) + `"}`)
	case "write much to stderr and answer":
		p.end(0, strings.Repeat("much\n", 1<<16)) // more than a pipe holds: some of it has arrived
		p.say(right)
	case "close the input":
		_ = os.Stdin.Close()
		p.say(right)
		return true, p.stay()
	default:
		return true, p.leave(please, right)
	}
	return false, 0
}

// leave answers nothing, or nothing more, and returns the status.
func (p *peer) leave(please, right string) int {
	switch please {
	case "call and fall silent":
		p.call()
		return p.stay()
	case "fall silent":
		return p.stay()
	case "close the output":
		_ = os.Stdout.Close()
		return p.stay()
	case "write half a line":
		_, _ = fmt.Print(right[:len(`{"id":`)])
		return p.stay()
	case "write half a long line":
		_, _ = fmt.Print(right + strings.Repeat("x", 1<<20))
		return p.stay()
	case "not end the last line":
		_, _ = fmt.Print(right)
		return 0
	case "end after the answer":
		p.say(right)
		return 3
	case "end with 0":
		return 0
	case "end with 3":
		return p.end(3, "boom\n")
	case "write much to stderr and end":
		return p.end(3, strings.Repeat("much\n", 1<<16))
	case "panic":
		panic("boom")
	case "be killed":
		this, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = this.Kill()
		}
		return p.end(9, fmt.Sprint(err, p.stay()))
	case "leave a child with pipes":
		child := exec.Command(os.Args[0], "peer", "child")
		child.Stdout = os.Stdout
		beApart(child)
		if err := child.Start(); err != nil {
			return p.end(9, err.Error())
		}
		return p.end(3, fmt.Sprintf("child %d\n", child.Process.Pid))
	default:
		return p.end(9, "what is "+please)
	}
}

// leaveChild starts a process that holds the pipes of this one, calls, and goes on
// when this one ends. It has called when leaveChild returns.
func (*peer) leaveChild(address string) error {
	child := exec.Command(os.Args[0], "peer", "child", address)
	child.Stdin, child.Stdout = os.Stdin, os.Stdout
	said, err := child.StderrPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	_, err = said.Read(make([]byte, 1))
	return err
}

func (*peer) say(line string) {
	if _, err := fmt.Println(line); err != nil {
		os.Exit(9)
	}
}

// end writes to standard error and returns a status.
func (*peer) end(status int, text string) int {
	_, _ = fmt.Fprint(os.Stderr, text)
	return status
}

// stay does nothing until it is ended.
func (*peer) stay() int {
	<-time.After(linger)
	return 9
}
