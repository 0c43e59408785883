package autodiff

import (
	"math"
	"slices"
)

// A training pass has 2n moments for n steps: step i runs forward at moment i and backward at 2n-1-i. A
// buffer is needed from its first to its last moment, inclusive; buffers whose times do not meet may share
// memory.
type buffer struct {
	first, last int
	size        int
	offset      int
	assign      func([]float32)
}

const forever = math.MaxInt

// Compile lays out the memory of the tape. After it nothing more can be recorded.
func (t *Tape) Compile() {
	if t.compiled {
		panic("autodiff: Compile called twice")
	}
	t.compiled = true
	bufs := t.lifetimes()
	size := place(bufs)
	t.arena = alignedFloats(size)
	for _, b := range bufs {
		b.assign(t.arena[b.offset:][:b.size:b.size])
	}
	scratch := 0
	for _, s := range t.steps {
		scratch = max(scratch, s.scratch)
	}
	t.scratch = alignedFloats(scratch)
}

// lifetimes returns the buffers of all tensors and gradients with the moments at which they are used.
func (t *Tape) lifetimes() []*buffer {
	n := len(t.steps)
	data := make([]*buffer, len(t.nodes))
	grad := make([]*buffer, len(t.nodes))
	for i := range t.nodes {
		nd := &t.nodes[i]
		if nd.param != nil {
			continue
		}
		data[i] = &buffer{first: -1, last: -1, size: nd.shape.Size(), assign: func(s []float32) { nd.data = s }}
		if nd.keep {
			data[i].last = forever
		}
		if nd.needs {
			grad[i] = &buffer{first: 2 * n, last: -1, size: nd.shape.Size(), assign: func(s []float32) { nd.grad = s }}
			if nd.input {
				grad[i].last = forever
			}
		}
	}
	for i, s := range t.steps {
		back := 2*n - 1 - i
		keepIn, keepOut := keeps(s)
		for _, id := range s.in {
			if data[id] != nil {
				data[id].last = max(data[id].last, i)
				if s.needs && keepIn {
					data[id].last = max(data[id].last, back)
				}
			}
			if grad[id] != nil && s.needs {
				grad[id].first = min(grad[id].first, back)
				grad[id].last = max(grad[id].last, back)
			}
		}
		if s.out >= 0 {
			data[s.out].first = i
			data[s.out].last = max(data[s.out].last, i)
			if s.needs && keepOut {
				data[s.out].last = max(data[s.out].last, back)
			}
			if grad[s.out] != nil {
				grad[s.out].first = min(grad[s.out].first, back)
				grad[s.out].last = max(grad[s.out].last, back)
			}
		}
	}
	var all []*buffer
	for _, b := range slices.Concat(data, grad) {
		if b != nil {
			all = append(all, b)
		}
	}
	return all
}

func keeps(s step) (in, out bool) {
	var op any = s.op
	if s.loss != nil {
		op = s.loss
	}
	if k, ok := op.(Keeper); ok {
		return k.Keeps()
	}
	return true, true
}

// place gives every buffer the lowest offset at which no buffer alive at the same time lies, larger
// buffers first, and returns the size of the whole.
func place(bufs []*buffer) int {
	order := slices.Clone(bufs)
	slices.SortStableFunc(order, func(a, b *buffer) int { return b.size - a.size })
	var placed []*buffer // by offset
	total := 0
	for _, b := range order {
		need := (b.size + alignment - 1) / alignment * alignment
		at := 0
		for _, p := range placed {
			if p.last < b.first || b.last < p.first {
				continue
			}
			if at+need <= p.offset {
				break
			}
			at = max(at, p.offset+(p.size+alignment-1)/alignment*alignment)
		}
		b.offset = at
		total = max(total, at+need)
		i, _ := slices.BinarySearchFunc(placed, at, func(p *buffer, v int) int { return p.offset - v })
		placed = slices.Insert(placed, i, b)
	}
	return total
}
