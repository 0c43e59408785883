// Package physics is the ptychographic forward model and its likelihood, as differentiable ops.
//
// An object patch O, the complex transmission under the probe, becomes a diffraction pattern in three
// steps: exit wave ψ = P·O, far field ψ̂ = F ψ with the unitary Fourier transform F, and photon counts
// λ = S²·Σ_m |ψ̂_m|², summed over the incoherent modes m of the probe. The photon scale S is the one number
// that ties the normalised probe and object to the measured dose.
//
// Complex fields are planes: [n,2,N,N], real part first. In this package the direct beam (DC) of a
// diffraction pattern lies at element [0,0].
package physics
