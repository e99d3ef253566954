package rootfs

import (
	"os/user"
	"strconv"
	"strings"
	"sync"
)

// people are the users and groups of this device: names for numbers and numbers
// for names. What was found is remembered for as long as the root is open; who
// was not found is asked for again. The zero value is ready.
type people struct {
	mu      sync.Mutex
	names   map[person]string
	numbers map[string]uint32 // by "u" or "g" and the name
}

type person struct {
	group bool
	id    uint32
}

const maxPeople = 1024 // remembered; beyond that all are forgotten

// name gives who a number is; "#1000" where it has no name.
func (p *people) name(who person) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, ok := p.names[who]; ok {
		return n
	}
	n, id := "", strconv.FormatUint(uint64(who.id), 10)
	if who.group {
		if g, err := user.LookupGroupId(id); err == nil {
			n = g.Name
		}
	} else if u, err := user.LookupId(id); err == nil {
		n = u.Username
	}
	if n == "" || len(n) > 255 || strings.ContainsAny(n, ":,#\n\x00") {
		return "#" + id
	}
	if p.names == nil || len(p.names) >= maxPeople {
		p.names = map[person]string{}
	}
	p.names[who] = n
	return n
}

// number is name's inverse. Not ok: nobody here has that name. A name is never
// taken for a number: the numbers of another device are other people.
func (p *people) number(group bool, name string) (id uint32, ok bool) {
	if digits, isNumber := strings.CutPrefix(name, "#"); isNumber {
		n, err := strconv.ParseUint(digits, 10, 32)
		return uint32(n), err == nil
	}
	key := "u" + name
	if group {
		key = "g" + name
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if id, ok := p.numbers[key]; ok {
		return id, true
	}
	text := ""
	if group {
		if g, err := user.LookupGroup(name); err == nil {
			text = g.Gid
		}
	} else if u, err := user.Lookup(name); err == nil {
		text = u.Uid
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, false
	}
	if p.numbers == nil || len(p.numbers) >= maxPeople {
		p.numbers = map[string]uint32{}
	}
	p.numbers[key] = uint32(n)
	return uint32(n), true
}
