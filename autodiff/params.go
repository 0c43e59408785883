package autodiff

import "fmt"

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
}

// NewParams returns an empty parameter vector.
func NewParams() *Params { return &Params{index: map[string]int{}} }

// New appends a tensor to the vector and lets init fill it. It panics on a duplicate name. Slices of
// Data taken before are not valid afterwards.
func (p *Params) New(name string, shape Shape, init func([]float32)) Param {
	if _, ok := p.index[name]; ok {
		panic(fmt.Sprintf("autodiff: parameter %q exists already", name))
	}
	r := Param{Name: name, Shape: shape, Offset: len(p.Data)}
	p.Data = append(p.Data, make([]float32, shape.Size())...)
	if init != nil {
		init(p.View(r))
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
