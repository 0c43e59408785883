// Package testutil helps tests to compare with the golden values under testdata/golden.
package testutil
