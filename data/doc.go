// Package data reads and writes ptychographic scans.
//
// Load turns an NPZ file of any supported key set, axis layout, dtype, unit and origin into the one
// canonical Dataset, or into an error that lists everything that is wrong with the file. Whatever had to
// be detected or assumed on the way is written down in Dataset.Notes.
package data
