package identity

import "crypto/ed25519"

// Sign signs message for one purpose, the domain: a short constant without a
// zero byte, such as "pinion roster 1".
func (i *Identity) Sign(domain string, message []byte) []byte {
	return ed25519.Sign(i.key, signed(domain, message))
}

// Verify says whether sig is what the holder of key signed for that domain.
func Verify(key ed25519.PublicKey, domain string, message, sig []byte) bool {
	return len(key) == ed25519.PublicKeySize && len(sig) == ed25519.SignatureSize &&
		ed25519.Verify(key, signed(domain, message), sig)
}

func signed(domain string, message []byte) []byte {
	out := make([]byte, 0, len(domain)+1+len(message))
	out = append(out, domain...)
	out = append(out, 0)
	return append(out, message...)
}
