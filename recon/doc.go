// Package recon turns a trained network and a scan into an object: patches, stitched where the scan says
// they belong.
package recon
