package identity

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"pinion/engine/tree"
)

// Identity is a device's key with its certificate. Immutable.
type Identity struct {
	key    ed25519.PrivateKey
	device tree.DeviceID
	cert   tls.Certificate
}

// New draws an identity that is kept nowhere. Open is for one that lasts.
func New(random io.Reader) (*Identity, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("draw device key: %w", err)
	}
	return fromKey(ed25519.NewKeyFromSeed(seed))
}

func fromKey(key ed25519.PrivateKey) (*Identity, error) {
	public := key.Public().(ed25519.PublicKey)
	der, err := certificate(key)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read own certificate: %w", err)
	}
	return &Identity{
		key:    key,
		device: DeviceOfKey(public),
		cert:   tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf},
	}, nil
}

// certificate is the same for the same key: Ed25519 signs without randomness,
// and nothing of a clock is in it. Peers look at the key and at nothing else, so
// the dates are as wide as the format allows.
func certificate(key ed25519.PrivateKey) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "pinion"},
		NotBefore:             time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	return x509.CreateCertificate(nil, template, template, key.Public(), key)
}

// Device is the id of this device.
func (i *Identity) Device() tree.DeviceID { return i.device }

// PublicKey is the 32 bytes that the id is the hash of.
func (i *Identity) PublicKey() ed25519.PublicKey {
	return append(ed25519.PublicKey(nil), i.key.Public().(ed25519.PublicKey)...)
}

// Certificate is what peers are shown.
func (i *Identity) Certificate() tls.Certificate { return i.cert }

// DeviceOfKey is the id of the device that holds the private half of key.
func DeviceOfKey(key ed25519.PublicKey) tree.DeviceID {
	return tree.DeviceID(sha256.Sum256(key))
}

// ErrNotDevice is returned for a certificate that no device of Pinion makes.
var ErrNotDevice = errors.New("the certificate is not that of a Pinion device")

// DeviceOf is the id of the device whose key the certificate holds.
func DeviceOf(cert *x509.Certificate) (tree.DeviceID, error) {
	key, err := KeyOf(cert)
	if err != nil {
		return tree.DeviceID{}, err
	}
	return DeviceOfKey(key), nil
}

// KeyOf is the certificate's public key, which has to be an Ed25519 one.
func KeyOf(cert *x509.Certificate) (ed25519.PublicKey, error) {
	if cert == nil {
		return nil, ErrNotDevice
	}
	key, ok := cert.PublicKey.(ed25519.PublicKey)
	if !ok || len(key) != ed25519.PublicKeySize {
		return nil, ErrNotDevice
	}
	return key, nil
}
