package identity

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"pinion/engine/tree"
)

// cipherEnd makes the test's own program one end of a handshake: what a processor
// can do is made out once, when a program starts. Its value is where to dial, or
// "listen".
const cipherEnd = "PINION_TEST_CIPHER_END"

func TestMain(m *testing.M) {
	where := os.Getenv(cipherEnd)
	if where == "" {
		os.Exit(m.Run())
	}
	if err := agree(where, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// agree takes part in a handshake and prints the cipher, the listener after where
// it is.
func agree(where string, out io.Writer) error {
	var ids [2]*Identity
	for i := range ids {
		var err error
		if ids[i], err = New(bytes.NewReader(bytes.Repeat([]byte{byte(i + 1)}, ed25519.SeedSize))); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var c *tls.Conn
	if where == "listen" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		fmt.Fprintln(out, l.Addr())
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		c = tls.Server(conn, ids[0].ServerTLS(func(tree.DeviceID, string) error { return nil }, "pinion/1"))
	} else {
		conn, err := net.Dial("tcp", where)
		if err != nil {
			return err
		}
		c = tls.Client(conn, ids[1].ClientTLS(ids[0].Device(), "pinion/1"))
	}
	defer c.Close()
	if err := c.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	_, err := fmt.Fprintln(out, tls.CipherSuiteName(c.ConnectionState().CipherSuite))
	return err
}

// end is a process that is one end, on a processor with AES instructions or as if
// it had none.
func end(t *testing.T, where string, hasAES bool) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), cipherEnd+"="+where)
	if !hasAES {
		cmd.Env = append(cmd.Env, "GODEBUG=cpu.aes=off")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// agreed is the cipher that two processes agree on.
func agreed(t *testing.T, listener, dialler bool) string {
	t.Helper()
	l, heard := end(t, "listen", listener)
	if !heard.Scan() {
		t.Fatal("the listener says nothing")
	}
	d, said := end(t, heard.Text(), dialler)
	said.Scan()
	heard.Scan()
	if said.Text() != heard.Text() {
		t.Errorf("one says %q, the other %q", heard.Text(), said.Text())
	}
	for _, cmd := range []*exec.Cmd{d, l} {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	return said.Text()
}

// A Pi 4 and older has no AES instructions: AES would cost it several times as
// much as ChaCha20, whoever dials.
func TestCipherSuitsTheWeakerEnd(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("no way to switch AES off on " + runtime.GOARCH)
	}
	withAES := agreed(t, true, true)
	if !strings.Contains(withAES, "AES") {
		t.Skipf("this processor has no AES instructions to switch off: %s", withAES)
	}
	for _, has := range [][2]bool{{true, false}, {false, true}, {false, false}} {
		if got := agreed(t, has[0], has[1]); got != "TLS_CHACHA20_POLY1305_SHA256" {
			t.Errorf("listener has AES instructions: %v, dialler: %v: %s", has[0], has[1], got)
		}
	}
}
