package main

// A vec is a vector of floats in a straight piece of code, before it has been given a register.
type vec int

// A straight is a piece of code without jumps, in which every vec is computed once.
type straight struct {
	operations []operation
	lastUse    []int // by vec, the operation after which its register is free
}

// An operation computes result from args. In place means that the instruction adds to its destination, args[0].
type operation struct {
	result  vec
	args    []vec
	inPlace bool
	emit    func(a *assembly, result int, args []int)
}

const none = vec(-1)

// compute adds an operation and returns its result.
func (s *straight) compute(emit func(a *assembly, result int, args []int), args ...vec) vec {
	v := vec(len(s.lastUse))
	s.lastUse = append(s.lastUse, len(s.operations))
	s.do(operation{result: v, args: args, emit: emit})
	return v
}

// update is compute for an instruction that adds to args[0]; args[0] itself stays as it is.
func (s *straight) update(emit func(a *assembly, result int, args []int), args ...vec) vec {
	v := s.compute(emit, args...)
	s.operations[len(s.operations)-1].inPlace = true
	return v
}

// consume adds an operation without a result.
func (s *straight) consume(emit func(a *assembly, result int, args []int), args ...vec) {
	s.do(operation{result: none, args: args, emit: emit})
}

func (s *straight) do(o operation) {
	for _, v := range o.args {
		s.lastUse[v] = len(s.operations)
	}
	s.operations = append(s.operations, o)
}

// assign emits the code with vector registers 0 to n−1. It panics if they do not suffice.
func (s *straight) assign(a *assembly, n int) {
	at := make([]int, len(s.lastUse)) // register by vec
	used := make([]bool, n)
	take := func() int {
		for r, u := range used {
			if !u {
				used[r] = true
				return r
			}
		}
		panic("neon: out of vector registers")
	}
	for i, o := range s.operations {
		args := make([]int, len(o.args))
		for k, v := range o.args {
			args[k] = at[v]
		}
		release := func(from int) {
			for _, v := range o.args[from:] {
				if s.lastUse[v] == i {
					used[at[v]] = false
				}
			}
		}
		result := -1
		switch {
		case o.inPlace && s.lastUse[o.args[0]] == i:
			result = args[0]
			release(1)
		case o.inPlace:
			result = take() // before the other arguments are released, which the copy must not overwrite
			a.op("VMOV", "V%d.B16, V%d.B16", args[0], result)
			release(1)
		default:
			release(0)
			if o.result != none {
				result = take()
			}
		}
		if o.result != none {
			at[o.result] = result
		}
		o.emit(a, result, args)
	}
}
