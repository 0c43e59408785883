package autodiff

import (
	"fmt"
	"sync"
)

// Param is a named part of a parameter vector.
type Param struct {
	Name   string
	Shape  Shape
	Offset int // of the first element in Params.Data
}

// Params is the parameters of a model in one flat vector, from which named tensors are carved.
type Params struct {
	Data []float32

	list  []Param
	index map[string]int
	hooks []func()

	deferred bool
	size     int
	inits    []func() // of tensors that wait for Allocate
}

// NewParams returns an empty parameter vector.
func NewParams() *Params { return &Params{index: map[string]int{}} }

// Defer lets New only take note of what it is asked for until Allocate makes all of it at once, which for a large
// model is much faster than tensor by tensor.
func (p *Params) Defer() { p.deferred = true }

// Allocate makes the tensors that New took note of since Defer. Their inits run at the same time.
func (p *Params) Allocate() {
	p.deferred = false
	p.Data = append(make([]float32, 0, p.size), p.Data...)[:p.size]
	var done sync.WaitGroup
	for _, init := range p.inits {
		done.Go(init)
	}
	done.Wait()
	p.inits = nil
}

// New appends a tensor to the vector and lets init fill it. It panics on a duplicate name. Slices of
// Data taken before are not valid afterwards.
func (p *Params) New(name string, shape Shape, init func([]float32)) Param {
	if _, ok := p.index[name]; ok {
		panic(fmt.Sprintf("autodiff: parameter %q exists already", name))
	}
	r := Param{Name: name, Shape: shape, Offset: p.size}
	p.size += shape.Size()
	switch {
	case !p.deferred:
		p.Data = append(p.Data, make([]float32, shape.Size())...)
		if init != nil {
			init(p.View(r))
		}
	case init != nil:
		p.inits = append(p.inits, func() { init(p.View(r)) })
	}
	p.index[name] = len(p.list)
	p.list = append(p.list, r)
	return r
}

// View returns the elements of r, sharing memory with Data.
func (p *Params) View(r Param) []float32 {
	return p.Data[r.Offset:][:r.Shape.Size():r.Shape.Size()]
}

// All returns the parameters in the order in which they were made.
func (p *Params) All() []Param { return p.list }

// Lookup returns the parameter of the given name.
func (p *Params) Lookup(name string) (Param, bool) {
	i, ok := p.index[name]
	if !ok {
		return Param{}, false
	}
	return p.list[i], true
}

// OnUpdate registers f to be called whenever the values have changed, for layers that keep a copy of
// their weights in another layout. It may run at the same time as the other ones registered.
func (p *Params) OnUpdate(f func()) { p.hooks = append(p.hooks, f) }

// Updated tells the layers that the values have changed. Whoever writes to Data calls it before the
// next forward pass.
func (p *Params) Updated() {
	for i := range p.hooks {
		p.Update(i)
	}
}

// Updates returns the number of calls of Update that together do what Updated does. They may run at the same time.
func (p *Params) Updates() int { return len(p.hooks) }

// Update is the i-th part of Updated.
func (p *Params) Update(i int) { p.hooks[i]() }
