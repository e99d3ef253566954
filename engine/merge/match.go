package merge

import (
	"slices"

	"github.com/aymanbagabas/go-udiff/lcs"
)

// match gives for each line of a the line of b that it corresponds to, or -1;
// ascending. Lines that stand once in either text are paired first, which keeps
// apart what repeated lines would mix up and makes what is left short; between
// them the longest common run of lines is looked for.
func match(a, b []string) []int {
	out := make([]int, len(a))
	for i := range out {
		out[i] = -1
	}
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		out[head] = head
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
		out[len(a)-tail] = len(b) - tail
	}
	i, j := head, head
	for _, p := range append(anchors(a, b, head, tail), pair{len(a) - tail, len(b) - tail}) {
		gap(a, b, pair{i, j}, p, out)
		if p.a < len(a)-tail {
			out[p.a] = p.b
		}
		i, j = p.a+1, p.b+1
	}
	return out
}

// gap matches what lies between two places. The library's search is bounded in
// depth; what it gives is looked at, since a wrong pair would lose lines.
func gap(a, b []string, from, to pair, out []int) {
	x, y := a[from.a:to.a], b[from.b:to.b]
	if len(x) == 0 || len(y) == 0 || len(x) == 1 && len(y) == 1 && x[0] != y[0] {
		return // the last is what most gaps of edited lines are
	}
	i, j := 0, 0
	equal := func(upto int) {
		for ; i < upto && j < len(y); i, j = i+1, j+1 {
			if x[i] == y[j] {
				out[from.a+i] = from.b + j
			}
		}
	}
	for _, d := range lcs.DiffLines(x, y) {
		equal(d.Start)
		i, j = d.End, d.ReplEnd
	}
	equal(len(x))
}

type pair struct{ a, b int }

// anchors are the longest ascending row of lines that stand exactly once in the
// middle of either text.
func anchors(a, b []string, head, tail int) []pair {
	once := map[string]pair{} // -1: not seen there; -2: more than once
	for i := head; i < len(a)-tail; i++ {
		if _, seen := once[a[i]]; seen {
			once[a[i]] = pair{-2, -2}
			continue
		}
		once[a[i]] = pair{i, -1}
	}
	for j := head; j < len(b)-tail; j++ {
		if p, seen := once[b[j]]; seen && p.a >= 0 {
			if p.b == -1 {
				p.b = j
			} else {
				p.b = -2
			}
			once[b[j]] = p
		}
	}
	var all []pair
	for _, p := range once {
		if p.a >= 0 && p.b >= 0 {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(p, q pair) int { return p.a - q.a })
	return ascending(all)
}

// ascending is the longest row of pairs, which ascend in a, that ascend in b,
// too (patience sorting).
func ascending(all []pair) []pair {
	var tops []int // the last of the best row of each length
	before := make([]int, len(all))
	for i, p := range all {
		n, _ := slices.BinarySearchFunc(tops, p.b, func(top, b int) int { return all[top].b - b })
		before[i] = -1
		if n > 0 {
			before[i] = tops[n-1]
		}
		if n == len(tops) {
			tops = append(tops, i)
		} else {
			tops[n] = i
		}
	}
	out := make([]pair, len(tops))
	for n, i := len(tops)-1, -1; n >= 0; n-- {
		if i < 0 {
			i = tops[n]
		}
		out[n] = all[i]
		i = before[i]
	}
	return out
}
