package scan

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestWhatCantBeSynced(t *testing.T) {
	w := newWorld(t)
	w.put("ok=1")
	odd := map[string]string{
		"fifo":              "FIFO",
		"e\u0301":           "NFC",
		"bad\xff":           "UTF-8",
		".Pinion":           "own directory",
		"ignored\xff.tmp":   "",
		"d/" + "x\xff/deep": "UTF-8",
	}
	w.must(syscall.Mkfifo(w.path("fifo"), 0o600))
	for name := range odd {
		if name != "fifo" {
			w.must(os.MkdirAll(w.path(strings.TrimSuffix(name, "/deep")), 0o755))
		}
	}
	changes, s := w.full()
	w.want(changes, "+d/ +ok")
	said := map[string]string{}
	for _, p := range s.Problems {
		said[p.Path] = p.Why
	}
	for name, want := range odd {
		why := said[strings.TrimSuffix(name, "/deep")]
		if (why != "") != (want != "") || !strings.Contains(why, want) {
			t.Errorf("%q: %q, want a word of %q", name, why, want)
		}
	}
	if len(said) != 5 {
		t.Errorf("said %v", said)
	}
	w.rm("ok") // what took its place can't be synced: that is no deletion
	w.must(syscall.Mkfifo(w.path("ok"), 0o600))
	changes, _ = w.full()
	w.want(changes, "")
}
