package jpeg

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomRecipe makes a random file that the standard allows.
func randomRecipe(r *rand.Rand) recipe {
	o := recipe{
		width: 1 + r.IntN(50), height: 1 + r.IntN(50),
		sampling: make([]byte, []int{1, 3, 4}[r.IntN(3)]),
		sof:      markerSOF0 + byte(r.IntN(3)),
		restart:  r.IntN(2) * r.IntN(9),
		tables:   1 + r.IntN(4),
		dnl:      r.IntN(4) == 0,
		between:  []string{"", "\xFF", "\x00\x01"}[r.IntN(3)],
		noEOI:    r.IntN(4) == 0,
	}
	o.wide = o.sof != markerSOF0 && r.IntN(2) == 0
	blocks := 0
	for c := range o.sampling {
		h, v := 1+r.IntN(4), 1+r.IntN(4)
		o.sampling[c] = byte(h<<4 | v)
		blocks += h * v
	}
	groups := [][]int{nil} // components that share scans
	if blocks > 10 || r.IntN(2) == 0 {
		groups = nil
		for _, c := range r.Perm(len(o.sampling)) {
			groups = append(groups, []int{c})
		}
	}
	if o.sof == markerSOF2 {
		o.script = randomScript(r, groups, len(o.sampling))
		return o
	}
	for _, group := range groups {
		o.script = append(o.script, scanRecipe{components: group, end: 63, restart: r.IntN(5)})
	}
	return o
}

// randomScript makes random progressive scans: those of DC first, then bands of
// each component, refined at any time.
func randomScript(r *rand.Rand, groups [][]int, components int) (script []scanRecipe) {
	var due []scanRecipe
	add := func(s scanRecipe) {
		if script = append(script, s); s.low > 0 {
			s.high, s.low = s.low, s.low-1
			due = append(due, s)
		}
	}
	for _, group := range groups {
		add(scanRecipe{components: group, low: r.IntN(4)})
	}
	for c := range components {
		for start := 1; start < 64; {
			end := min(start+r.IntN(64), 63)
			due = append(due, scanRecipe{components: []int{c}, start: start, end: end, low: r.IntN(4)})
			start = end + 1
		}
	}
	for len(due) > 0 {
		i := r.IntN(len(due))
		next := due[i]
		due = slices.Delete(due, i, i+1)
		add(next)
	}
	return script
}

// FuzzRecipe checks any file that the standard allows: it is complete, it is
// decoded to its picture at every scale, it is refused if a part is missing, and
// a flipped bit is noticed if image/jpeg notices it.
func FuzzRecipe(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		o := randomRecipe(r)
		file := o.write()
		if _, err := cleanAndCheck(t, file.data); err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		for _, scale := range scales {
			_, got := mustDecode(t, file.data, scale)
			for c := range got {
				if err := checkClose(got[c], file.reference(c, int(scale))); err != nil {
					t.Fatalf("%+v at scale %d, component %d: %v", o, scale, c, err)
				}
			}
		}
		part := file.data[:r.IntN(file.complete)]
		if _, err := cleanAndCheck(t, part); !errors.As(err, new(FormatError)) {
			t.Fatalf("%+v: %d of %d bytes are accepted: %v", o, len(part), len(file.data), err)
		}
		file.data[r.IntN(len(file.data))] ^= 1 << r.IntN(8)
		if broken, err := cleanAndCheck(t, file.data); err == nil && quick(broken) {
			if _, err := checkTaken(t, broken, broken.Bytes()); err != nil {
				t.Fatalf("%+v, a bit flipped: %v", o, err)
			}
		}
	})
}
