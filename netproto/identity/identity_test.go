package identity

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pinion/engine/tree"
)

func mustNew(t testing.TB, seed byte) *Identity {
	t.Helper()
	id, err := New(bytes.NewReader(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestCertificateIsAFunctionOfTheKey(t *testing.T) {
	a, b, other := mustNew(t, 1), mustNew(t, 1), mustNew(t, 2)
	if !bytes.Equal(a.cert.Certificate[0], b.cert.Certificate[0]) {
		t.Error("the same key gave two certificates")
	}
	if bytes.Equal(a.cert.Certificate[0], other.cert.Certificate[0]) {
		t.Error("two keys gave one certificate")
	}
	got, err := DeviceOf(a.cert.Leaf)
	if err != nil || got != a.Device() || got != tree.DeviceID(sha256.Sum256(a.PublicKey())) {
		t.Errorf("DeviceOf = %v, %v; want %v", got, err, a.Device())
	}
}

func TestDeviceOfTakesEd25519Only(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*x509.Certificate{cert, nil, {}} {
		if _, err := DeviceOf(c); !errors.Is(err, ErrNotDevice) {
			t.Errorf("got %v", err)
		}
	}
}

func TestSignaturesMeanOneThing(t *testing.T) {
	id := mustNew(t, 1)
	sig := id.Sign("pinion a", []byte("message"))
	for _, c := range []struct {
		name, domain, message string
		key                   ed25519.PublicKey
		sig                   []byte
		want                  bool
	}{
		{"as signed", "pinion a", "message", id.PublicKey(), sig, true},
		{"other domain", "pinion b", "message", id.PublicKey(), sig, false},
		{"other message", "pinion a", "messagf", id.PublicKey(), sig, false},
		{"other key", "pinion a", "message", mustNew(t, 2).PublicKey(), sig, false},
		{"cut signature", "pinion a", "message", id.PublicKey(), sig[:63], false},
		{"cut key", "pinion a", "message", id.PublicKey()[:31], sig, false},
		{"border moved", "pinion amessage", "", id.PublicKey(), sig, false},
	} {
		if got := Verify(c.key, c.domain, []byte(c.message), c.sig); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestOpenKeepsTheKey(t *testing.T) {
	home := t.TempDir()
	first, notes, err := Open(home, rand.Reader)
	if err != nil || len(notes) != 0 {
		t.Fatal(notes, err)
	}
	second, notes, err := Open(home, failing{})
	if err != nil || len(notes) != 0 {
		t.Fatal(notes, err)
	}
	if first.Device() != second.Device() {
		t.Error("the device changed")
	}
	entries, err := os.ReadDir(home)
	if err != nil || len(entries) != 1 {
		t.Fatalf("left behind: %v %v", entries, err)
	}
	if info, _ := entries[0].Info(); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no randomness") }

func TestOpenAfterACrashWhileStaging(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, stagedFile), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(home, rand.Reader); err != nil {
		t.Fatal(err)
	}
}

func TestOpenWithoutRandomnessMakesNoFile(t *testing.T) {
	home := t.TempDir()
	if _, _, err := Open(home, failing{}); err == nil {
		t.Fatal("made a key of nothing")
	}
	if entries, _ := os.ReadDir(home); len(entries) != 0 {
		t.Error(entries)
	}
}

func TestOpenNeverReplacesADamagedKey(t *testing.T) {
	rsaLike, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(rsaLike)
	if err != nil {
		t.Fatal(err)
	}
	good := t.TempDir()
	if _, _, err := Open(good, rand.Reader); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(good, KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]byte{
		"empty":     {},
		"words":     []byte("hello"),
		"zeroes":    make([]byte, 119),
		"other key": pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}),
		"long":      bytes.Repeat([]byte("x"), maxKeyFile+1),
	}
	for i := range len(whole) - 1 { // the last byte is a line break
		cases["cut"+string(rune(i))] = whole[:i]
	}
	for name, text := range cases {
		home := t.TempDir()
		file := filepath.Join(home, KeyFile)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := Open(home, rand.Reader)
		var damaged *DamagedError
		if !errors.As(err, &damaged) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
		if now, _ := os.ReadFile(file); !bytes.Equal(now, text) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

func TestOpenClosesAnOpenKey(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps no permission bits")
	}
	home := t.TempDir()
	first, _, err := Open(home, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, KeyFile)
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	second, notes, err := Open(home, rand.Reader)
	if err != nil || len(notes) != 1 || second.Device() != first.Device() {
		t.Fatal(notes, err)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
}

// handshake runs both sides over loopback (a net.Pipe keeps nothing, so that two
// alerts at once would block each other) and gives what each of them says.
func handshake(t *testing.T, server, client *tls.Config) (serverErr, clientErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s, c := tls.Server(a, server), tls.Client(b, client)
	done := make(chan error, 1)
	go func() {
		err := s.HandshakeContext(context.Background())
		if err == nil {
			_, err = s.Write([]byte{1})
		}
		a.Close()
		done <- err
	}()
	clientErr = c.HandshakeContext(context.Background())
	if clientErr == nil { // a client learns of a refusal at its first read
		_, clientErr = c.Read(make([]byte, 1))
	}
	b.Close()
	return <-done, clientErr
}

func TestHandshakePinsBothSides(t *testing.T) {
	pi, laptop, stranger := mustNew(t, 1), mustNew(t, 2), mustNew(t, 3)
	var asked []string
	server := pi.ServerTLS(func(d tree.DeviceID, alpn string) error {
		asked = append(asked, d.Short()+" "+alpn)
		if d != laptop.Device() {
			return errors.New("a stranger")
		}
		return nil
	}, "pinion/1", "pinion-join/1")

	if s, c := handshake(t, server, laptop.ClientTLS(pi.Device(), "pinion/1")); s != nil || c != nil {
		t.Errorf("members: %v, %v", s, c)
	}
	if len(asked) != 1 || asked[0] != laptop.Device().Short()+" pinion/1" {
		t.Errorf("asked %q", asked)
	}
	if s, c := handshake(t, server, stranger.ClientTLS(pi.Device(), "pinion/1")); s == nil || c == nil {
		t.Errorf("a stranger got a connection: %v, %v", s, c)
	}
	if _, c := handshake(t, server, laptop.ClientTLS(stranger.Device(), "pinion/1")); !errors.Is(c, ErrOtherDevice) {
		t.Errorf("somebody else was taken for the one dialled: %v", c)
	}
	if s, c := handshake(t, server, laptop.ClientTLS(pi.Device(), "other/1")); s == nil || c == nil {
		t.Errorf("a protocol that is not spoken: %v, %v", s, c)
	}
}

func TestHandshakeRefusesLess(t *testing.T) {
	pi, laptop := mustNew(t, 1), mustNew(t, 2)
	all := func(tree.DeviceID, string) error { return nil }
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.2":        func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 },
		"no certificate": func(c *tls.Config) { c.Certificates = nil },
		"no protocol":    func(c *tls.Config) { c.NextProtos = nil; c.VerifyConnection = nil },
		"two certificates": func(c *tls.Config) {
			two := laptop.cert
			two.Certificate = append(two.Certificate[:1:1], pi.cert.Certificate[0])
			c.Certificates = []tls.Certificate{two}
		},
	} {
		client := laptop.ClientTLS(pi.Device(), "pinion/1")
		change(client)
		allowed := pi.ServerTLS(func(d tree.DeviceID, alpn string) error {
			if alpn == "" {
				return errors.New("no protocol")
			}
			return all(d, alpn)
		}, "pinion/1")
		if s, _ := handshake(t, allowed, client); s == nil {
			t.Errorf("%s: the server took it", name)
		}
	}
}

func TestNothingIsResumed(t *testing.T) {
	pi, laptop := mustNew(t, 1), mustNew(t, 2)
	server := pi.ServerTLS(func(tree.DeviceID, string) error { return nil }, "pinion/1")
	client := laptop.ClientTLS(pi.Device(), "pinion/1")
	cache := &counting{ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	client.ClientSessionCache = cache
	for range 2 {
		if s, c := handshake(t, server, client); s != nil || c != nil {
			t.Fatal(s, c)
		}
	}
	if cache.put != 0 {
		t.Error("the server handed out a session ticket")
	}
}

type counting struct {
	tls.ClientSessionCache
	put int
}

func (c *counting) Put(key string, s *tls.ClientSessionState) {
	if s != nil {
		c.put++
	}
	c.ClientSessionCache.Put(key, s)
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, why := parseKey(text); (why == "") != (len(key) == ed25519.PrivateKeySize) {
			t.Fatal(len(key), why)
		}
	})
}
