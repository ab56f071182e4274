"""Which patient, case or images something is of: by names, by tables, and by digests of images.

"The same case" is a different question for a name, a file, an image and a layer. Each has one
function; no other code compares these things itself.

Names, in upper or lower case, in composed or decomposed letters:

===================================  =================  ===========================================
function                             compares           answers
===================================  =================  ===========================================
`files.names.same_name`              two names          do they name one case, or one file of it
`visits.is_name_of`                  a name, a case     is it the name of the case, with or without
                                     and its folder     the visit that its folder states
`case_names.is_named_after`          a name, a case     does it continue such a name (``P7_pred``),
                                     and its folder     and state no other scan
`case_names.states_case`             two names          the same, whatever the folder
`case_names.states_other_case`       two names          does one state another patient, or another
                                                        scan, by a number or a visit
`patients.same_patient`              two names, a table are they scans of one patient; for splits,
                                                        bootstraps, BIDS subjects and warnings
`visits.stated_visit`                a name, a folder   which visit of the patient it is
===================================  =================  ===========================================

Masks, which may be another patient's of the same name and grid:

===================================  =================  ===========================================
`mask_names.check_patient`           name of a mask,    may it be the patient's, also of another
                                     the images around  scan: to compare it
`mask_names.check_case`              the same           may it be the case's: to measure it; never
                                                        true if `check_patient` refuses it
`mask_names.is_mask_of_case_beside`  name and folder    is it the case's mask beside its images
`bids_labels.labels_of_mask`         name of a mask     is it of the case's patient by BIDS labels,
                                     in a BIDS dataset  which leave out some letters of names
`mask_images.other_images_text`      record of a mask,  is it of other images than the case's
                                     or the T1CE
                                     beside it
===================================  =================  ===========================================

Images:

===================================  =================  ===========================================
`image_digests.are_other_images`     digests of blocks  is a mask certainly not of these images;
                                     of voxels          what is not known is no other image
`image_digests.share_an_image`       the same           is it certainly of one of them; never true
                                                        where T1CE is another one in all roles
`image_digests.share_t1ce`           the same, of T1CE  is it certainly of this T1CE
`cohort` `records.are_other_files`   SHA-256 of files   did the files of a case change since it was
                                                        segmented or reviewed
`training` `case_digest`             SHA-256 of files   is a case to be prepared or scored again
                                     and settings
`training` `collected_case`          voxels and grid    does a folder of the training folder hold
                                                        this case, whose masks may be replaced
===================================  =================  ===========================================

In the window, a layer is of a case (`layers.metadata.same_case`: name, grid and T1CE file) and of
a patient (`layers.patient.Patient`: name and folder, `visits.folder_of`); a case is open if a layer
shows one of its images (`loading.files.already_open`: paths without links to folders); two readings
of it are of the same images by their voxels (`layers.changed_images`), by which also what is kept
of a case is found (`case_data`); two patients who show the same images are named by the digests
above (`patients.same_images`).

Three answers to the same evidence differ on purpose, see docs/export.md and docs/patients.md:

- A mask of other images that is named after the case is a warning in reports, where the images may
  have been prepared again. In the window, where a wrong mask would be corrected and saved, it is
  refused unless it is the case's own beside its images.
- A mask of another scan of the patient may be compared, and is refused as the mask of this scan.
- A mask with other words in its name, such as ``P7_reader2_seg``, may be measured and compared. In
  the window it is a patient of its own, because there may be a case of this name.
"""
