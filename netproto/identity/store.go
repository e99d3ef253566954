package identity

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

const (
	// KeyFile is the key's name in the home directory: PEM, PKCS #8, 0600.
	KeyFile = "device.key"

	stagedFile = KeyFile + ".new"
	pemType    = "PRIVATE KEY"
	maxKeyFile = 16 << 10
)

// DamagedError says that the key file is there but holds no key. Its text is for
// a person: a new key would be a new device, so that is theirs to choose.
type DamagedError struct {
	File string
	Why  string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the device key %s %s: put a copy of it back, or move the file away to start as a new device, which your other devices will have to invite again", e.File, e.Why)
}

// Open reads the device's key from the home directory, which must exist, or
// makes one where there is none. Notes are sentences for a person about what was
// put right on the way.
func Open(home string, random io.Reader) (id *Identity, notes []string, err error) {
	root, err := os.OpenRoot(home)
	if err != nil {
		return nil, nil, fmt.Errorf("open home: %w", err)
	}
	defer root.Close()
	store := store{root: root, name: filepath.Join(home, KeyFile)}
	key, note, err := store.load()
	if errors.Is(err, fs.ErrNotExist) {
		key, err = store.create(random)
	}
	if err != nil {
		return nil, nil, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	id, err = fromKey(key)
	return id, notes, err
}

type store struct {
	root *os.Root
	name string // of the key file, for a person
}

func (s store) load() (key ed25519.PrivateKey, note string, err error) {
	info, err := s.root.Lstat(KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fs.ErrNotExist
	}
	if err != nil {
		return nil, "", fmt.Errorf("look at device key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, "", &DamagedError{s.name, "is not a regular file"}
	}
	f, err := s.root.Open(KeyFile)
	if err != nil {
		return nil, "", fmt.Errorf("read device key: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, "", fmt.Errorf("read device key: %w", err)
	}
	key, why := parseKey(text)
	if why != "" {
		return nil, "", &DamagedError{s.name, why}
	}
	// Windows keeps no permission bits; its home directory is the person's own.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return nil, "", fmt.Errorf("the device key %s can be read by others; set its mode to 0600: %w", s.name, err)
		}
		note = fmt.Sprintf("the device key %s could be read by others (mode %04o); its mode is 0600 now. If somebody may have copied it, move it away and pair this device anew", s.name, info.Mode().Perm())
	}
	return key, note, nil
}

func parseKey(text []byte) (key ed25519.PrivateKey, why string) {
	if len(text) > maxKeyFile {
		return nil, "is too long to be a key"
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return nil, "is damaged"
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, "is damaged"
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, "holds a key of another kind than Ed25519"
	}
	return key, ""
}

// create makes a key durable before anybody sees its id: staged, flushed,
// renamed, directory flushed. The caller holds the lock of the home, so nobody
// else makes one meanwhile.
func (s store) create(random io.Reader) (ed25519.PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("draw device key: %w", err)
	}
	key := ed25519.NewKeyFromSeed(seed)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode device key: %w", err)
	}
	if err := s.stage(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})); err != nil {
		return nil, fmt.Errorf("write device key: %w", err)
	}
	if err := s.root.Rename(stagedFile, KeyFile); err != nil {
		return nil, fmt.Errorf("write device key: %w", err)
	}
	if err := s.syncDir(); err != nil {
		return nil, fmt.Errorf("flush home: %w", err)
	}
	return key, nil
}

func (s store) stage(text []byte) (err error) {
	// What a crash may have left here was never in use.
	if err := s.root.Remove(stagedFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := s.root.OpenFile(stagedFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}

func (s store) syncDir() error {
	if runtime.GOOS == "windows" {
		return nil // a directory can't be flushed there; a rename is journalled
	}
	d, err := s.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
