package main

import "testing"

// The wanted words are those that LLVM's assembler makes of the mnemonics.
func TestEncode(t *testing.T) {
	for _, c := range []struct {
		emit func(a *assembly)
		want string
	}{
		{func(a *assembly) { a.fmla(3, 24, 28, 0) }, "0x4f9c1303 // fmla v3.4s, v24.4s, v28.s[0]"},
		{func(a *assembly) { a.fmla(31, 27, 31, 3) }, "0x4fbf1b7f // fmla v31.4s, v27.4s, v31.s[3]"},
		{func(a *assembly) { a.fmla(0, 1, 2, 1) }, "0x4fa21020 // fmla v0.4s, v1.4s, v2.s[1]"},
		{func(a *assembly) { a.fmls(3, 24, 28, 1) }, "0x4fbc5303 // fmls v3.4s, v24.4s, v28.s[1]"},
		{func(a *assembly) { a.fmls(30, 31, 29, 2) }, "0x4f9d5bfe // fmls v30.4s, v31.4s, v29.s[2]"},
		{func(a *assembly) { a.fmul(3, 24, 28, 0) }, "0x4f9c9303 // fmul v3.4s, v24.4s, v28.s[0]"},
		{func(a *assembly) { a.fmul(31, 30, 17, 3) }, "0x4fb19bdf // fmul v31.4s, v30.4s, v17.s[3]"},
		{func(a *assembly) { a.fadd(1, 2, 3) }, "0x4e23d441 // fadd v1.4s, v2.4s, v3.4s"},
		{func(a *assembly) { a.fsub(31, 30, 29) }, "0x4ebdd7df // fsub v31.4s, v30.4s, v29.4s"},
		{func(a *assembly) { a.fsub(1, 2, 3) }, "0x4ea3d441 // fsub v1.4s, v2.4s, v3.4s"},
		{func(a *assembly) { a.fmax(3, 3, 31) }, "0x4e3ff463 // fmax v3.4s, v3.4s, v31.4s"},
		{func(a *assembly) { a.ldr(3, 1, 2) }, "0x3ce26823 // ldr q3, [x1, x2]"},
		{func(a *assembly) { a.ldr(31, 30, 17) }, "0x3cf16bdf // ldr q31, [x30, x17]"},
		{func(a *assembly) { a.ldr(5, 4, zr) }, "0x3cff6885 // ldr q5, [x4, xzr]"},
		{func(a *assembly) { a.str(3, 1, 2) }, "0x3ca26823 // str q3, [x1, x2]"},
		{func(a *assembly) { a.str(30, 17, 30) }, "0x3cbe6a3e // str q30, [x17, x30]"},
	} {
		a := new(assembly)
		c.emit(a)
		if got, want := a.code.String(), "\tWORD    $"+c.want+"\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNoSuchRegister(t *testing.T) {
	for name, f := range map[string]func(a *assembly){
		"register 32":  func(a *assembly) { a.fadd(0, 32, 0) },
		"register -1":  func(a *assembly) { a.fadd(-1, 0, 0) },
		"lane 4":       func(a *assembly) { a.fmla(0, 1, 2, 4) },
		"no parameter": func(a *assembly) { a.loadParam("x", 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was accepted", name)
				}
			}()
			f(new(assembly))
		}()
	}
}
