// Package identity compares what a run was with what it is to be when it is resumed.
package identity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Differences lists the fields in which two identities, JSON objects, differ.
func Differences(then, now string) string {
	a, b := map[string]any{}, map[string]any{}
	if flatten(a, then) != nil || flatten(b, now) != nil {
		return "it cannot be read"
	}
	var list []string
	for k, v := range b {
		if a[k] != v {
			list = append(list, fmt.Sprintf("%s: then %v, now %v", k, a[k], v))
		}
	}
	if list == nil {
		return "by another version of the program"
	}
	slices.Sort(list)
	return strings.Join(list, "; ")
}

// flatten puts the numbers and strings of nested JSON objects into dst, named like model.loss.nll_weight.
func flatten(dst map[string]any, text string) error {
	var top map[string]any
	if err := json.Unmarshal([]byte(text), &top); err != nil {
		return err
	}
	var walk func(prefix string, m map[string]any)
	walk = func(prefix string, m map[string]any) {
		for k, v := range m {
			if sub, ok := v.(map[string]any); ok {
				walk(prefix+k+".", sub)
			} else {
				dst[prefix+k] = v
			}
		}
	}
	walk("", top)
	return nil
}
