"""persistence: flag, or subtract, what earlier light leaves behind in a detector.

Charge that traps caught while a pixel was bright is let go for minutes to hours afterwards. The
option `method` chooses what is done about it; the step is off unless asked for.

**window** (as jwst 3.0.0). From the first saturated group of an integration on, or from a group
above `dn_threshold` DN outside a window, a pixel is in a window of `persistence_time` seconds. All
groups within it get PERSISTENCE in GROUPDQ, and DO_NOT_USE with `persistence_dnu`. Group g of an
integration is at ``t = start + (g + 1) TGROUP``. The ends of the windows are kept over integrations
and, with `save_persistence` and `persistence_array_file`, handed to the next exposure.

**traps** (the model of the documents for jwst until 2.x). A detector has a few families f of traps,
each with the columns of the TRAPPARS table: ``c0`` (`capture0`, DN), ``tau = 1 / |capture1|`` (s),
``c2`` (`capture2`, DN), ``lambda = |decay_param|`` (1/s). A pixel has the relative density of traps
``D`` (TRAPDENSITY, SCI) and is full at ``F`` (PERSAT, SCI, DN after linearity); so ``D (c0 + c2)`` is
the most that a family holds. The state is the charge in traps ``S_f`` in DN, kept per pixel and family.

1. Between exposures: ``S_f <- S_f exp(-lambda (EXPSTART - EXPEND of the earlier one) 86400 s)``.
2. Each integration starts with n resets (NRSTSTRT for the first, NRESETS for the others) of TFRAME:
   ``S_f <- S_f exp(-lambda n TFRAME)``; what is let go in a reset goes with it.
3. At group g = 0, 1, ... charge ``P_g = sum_f S_f (1 - exp(-lambda (g + 1) TGROUP))`` has been let go
   since; it is subtracted from the group. After the last: ``S_f <- S_f exp(-lambda ngroups TGROUP)``.
4. Then what the light of the integration has filled is added to ``S_f``, D (c0 + c2) at the most.
   With `r` the slope in DN a group (mean of the differences of neighbouring groups that are not
   full, unusable, or jumps; from the first group alone where there is no such pair), `m` the number
   of full groups (value >= F, or SATURATED), ``s = r / (F TGROUP)`` not below 0, and
   ``T = n TFRAME + (ngroups - m) TGROUP``:

   - rising part: ``N = 2 D s^2 (T^2 (c0 + c2) / 2 + c0 (T tau + tau^2) exp(-T / tau) - c0 tau^2)``,
     which is the integral of ``2 D s^2 t (c0 (1 - exp(-t / tau)) + c2)`` from 0 to T. Where the first
     group is full: ``N = D c2``;
   - full part, if m > 0: ``N <- N + (D (c0 + c2) - N) (1 - exp(-m TGROUP / tau))``;
   - hits: for a jump in group k >= 1 that is not full, of ``j = (value_k - value_{k-1} - r) / F`` above
     0: ``N <- N + 2 D j (c0 (1 - exp(-(ngroups - k - 0.5) TGROUP / tau)) + c2)``.

Pixels from which `flag_pers_cutoff` DN or more are subtracted in a group get PERSISTENCE in PIXELDQ.
The state at the end of the exposure is the product `_trapsfilled` (SCI float32 (nfamilies, ny, nx),
DN), which `input_trapsfilled` hands to the next exposure of the detector.

Reference files: PERSAT and TRAPDENSITY are images (SCI float32, DQ uint32 with DQ_DEF) of the full
detector or the subarray; TRAPPARS has a binary table TRAPPARS with a row for each family and the
float64 columns capture0, capture1, capture2, decay_param. Nothing is caught where D or F is NaN, not
above 0, flagged DO_NOT_USE, or in reference pixels. Does not run with traps where one of the
references is N/A, as for NIRSpec and MIRI.

Source: description of the persistence step in the public documentation of jwst 0.9 to 1.20
(docs/jwst/persistence/description.rst), for jwst 3.0.0 its parameters.
"""
