package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pinion": main})
}

// TestScripts plays the command line with real engines. Beside testscript's own
// commands there are
//
//	engine start NAME [ARGS...]   an engine with the home $WORK/NAME/home
//	engine stop|kill NAME         by SIGTERM, by SIGKILL
//	on NAME ARGS...               pinion ARGS with NAME's home; sets stdout and stderr, like exec
//	pair NAME OTHER               OTHER joins by an invitation of NAME
//	until exists|gone FILE, until holds FILE TEXT, until on NAME REGEXP ARGS...
//	                              looks again and again, with an end
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("real engines take their time")
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			w := &world{engines: map[string]*engineProcess{}}
			e.Values[worldKey{}] = w
			e.Vars = append(e.Vars, "PINION_HOME=", "NO_COLOR=1")
			e.Defer(w.killAll)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"engine": cmdEngine, "on": cmdOn, "pair": cmdPair, "until": cmdUntil,
		},
	})
}

type worldKey struct{}

type world struct{ engines map[string]*engineProcess }

type engineProcess struct {
	cmd    *exec.Cmd
	listen string
	log    *bytes.Buffer
	ended  chan struct{}
}

func (w *world) killAll() {
	for _, e := range w.engines {
		_ = e.cmd.Process.Kill() // it may have ended
		<-e.ended
	}
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func home(ts *testscript.TestScript, name string) string { return ts.MkAbs(name + "/home") }

func (w *world) get(ts *testscript.TestScript, name string) *engineProcess {
	e := w.engines[name]
	if e == nil {
		ts.Fatalf("no engine %s was started", name)
	}
	return e
}

// program is this test binary under the name by which it is pinion.
func program(ts *testscript.TestScript) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if file := filepath.Join(dir, "pinion"); exists(file) {
			return file
		}
	}
	ts.Fatalf("pinion is not in PATH")
	return ""
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// pinionCmd is a command line; the variables are the script's.
func pinionCmd(ts *testscript.TestScript, args ...string) *exec.Cmd {
	cmd := exec.Command(program(ts), args...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "WORK", "TMPDIR", "NO_COLOR", "GOCOVERDIR"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	return cmd
}

func cmdEngine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: engine start|stop|kill NAME [ARGS...]")
	}
	w, name := worldOf(ts), args[1]
	switch args[0] {
	case "start":
		w.start(ts, name, args[2:])
	case "stop":
		ts.Check(w.get(ts, name).cmd.Process.Signal(syscall.SIGTERM))
		w.wait(ts, name, true)
	case "kill":
		ts.Check(w.get(ts, name).cmd.Process.Kill())
		w.wait(ts, name, false)
	default:
		ts.Fatalf("engine %s is not a command", args[0])
	}
}

func (w *world) start(ts *testscript.TestScript, name string, args []string) {
	e := &engineProcess{log: &bytes.Buffer{}, ended: make(chan struct{})}
	if old := w.engines[name]; old != nil {
		e.listen = old.listen
	} else {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		ts.Check(err)
		e.listen = c.LocalAddr().String()
		c.Close()
	}
	ts.Check(os.MkdirAll(home(ts, name), 0o700))
	e.cmd = pinionCmd(ts, append([]string{"--daemon", "--home", home(ts, name), "--name", name, "--listen", e.listen}, args...)...)
	e.cmd.Stdout, e.cmd.Stderr = e.log, e.log
	ts.Check(e.cmd.Start())
	w.engines[name] = e
	go func() {
		defer close(e.ended)
		_ = e.cmd.Wait() // its state is looked at in wait
	}()
	poll(ts, "the engine "+name+" to answer", func() bool {
		select {
		case <-e.ended:
			ts.Fatalf("the engine %s ended at once: %s", name, e.log)
		default:
		}
		return pinionCmd(ts, "status", "--home", home(ts, name)).Run() == nil
	})
}

func (w *world) wait(ts *testscript.TestScript, name string, clean bool) {
	e := w.engines[name]
	select {
	case <-e.ended:
	case <-time.After(patience):
		ts.Fatalf("the engine %s does not stop", name)
	}
	if clean && !e.cmd.ProcessState.Success() {
		ts.Fatalf("the engine %s did not stop cleanly: %v\n%s", name, e.cmd.ProcessState, e.log)
	}
}

// patience is the end of every wait for something that has to happen.
const patience = 60 * time.Second

func poll(ts *testscript.TestScript, what string, seen func() bool) {
	end := time.Now().Add(patience)
	for !seen() {
		if time.Now().After(end) {
			logs := ""
			for name, e := range worldOf(ts).engines {
				logs += fmt.Sprintf("\n%s: %v", name, e.listen)
				if out, err := pinionCmd(ts, "status", "--home", home(ts, name)).CombinedOutput(); err == nil {
					logs += "\n" + string(out)
				}
			}
			ts.Fatalf("waited %v for %s%s", patience, what, logs)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func cmdOn(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: on NAME ARGS...")
	}
	err := ts.Exec(program(ts), append(args[1:], "--home", home(ts, args[0]))...)
	if (err != nil) != neg {
		if neg {
			ts.Fatalf("unexpected success")
		}
		ts.Fatalf("%v", err)
	}
}

func cmdPair(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pair NAME OTHER")
	}
	out, err := pinionCmd(ts, "invite", "--json", "--home", home(ts, args[0])).Output()
	ts.Check(err)
	var inv struct{ Link string }
	ts.Check(json.Unmarshal(out, &inv))
	join := pinionCmd(ts, "join", inv.Link, "--address", worldOf(ts).get(ts, args[0]).listen, "--home", home(ts, args[1]))
	if out, err := join.CombinedOutput(); err != nil {
		ts.Fatalf("join: %v: %s", err, out)
	}
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until exists|gone FILE | holds FILE TEXT | on NAME REGEXP ARGS...")
	}
	switch {
	case args[0] == "exists":
		poll(ts, args[1]+" to be there", func() bool { return exists(ts.MkAbs(args[1])) })
	case args[0] == "gone":
		poll(ts, args[1]+" to be gone", func() bool { return !exists(ts.MkAbs(args[1])) })
	case args[0] == "holds" && len(args) == 3:
		poll(ts, args[1]+" to hold "+args[2], func() bool {
			text, err := os.ReadFile(ts.MkAbs(args[1]))
			return err == nil && strings.TrimSpace(string(text)) == args[2]
		})
	case args[0] == "on" && len(args) > 3:
		re, err := regexp.Compile("(?m)" + args[2])
		ts.Check(err)
		poll(ts, strings.Join(args[1:], " "), func() bool {
			out, err := pinionCmd(ts, append(args[3:], "--home", home(ts, args[1]))...).Output()
			return err == nil && re.Match(out)
		})
	default:
		ts.Fatalf("until %s is not a command", args[0])
	}
}
