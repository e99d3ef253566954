// Package control is the local API of a running engine: HTTP with JSON over a
// unix socket that only its owner can open. Engine names all that can be asked;
// Handler serves an Engine, Client is one across the socket.
//
// Every request is POST /v1/NAME with a JSON object and is answered with a JSON
// value, or with an Error and a status other than 200. status and activity
// answer at once or, when asked to, wait for news (long polling).
//
// Requests are bounded in size, and unknown fields are refused, so that a
// command of another version fails with a sentence rather than being half
// obeyed.
package control
