// Package dirs says where a system wants programs to keep their things. It makes
// no directory and reads nothing but the environment.
package dirs
