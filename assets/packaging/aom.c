/* In the place of libaom in the frozen program: an AV1 library that refuses. Its return codes are those of
 * aom/aom_codec.h: AOM_CODEC_INCAPABLE is 4. libavif takes it for "cannot be decoded". */
#include <stddef.h>

#define REFUSES(name) int name(void) { return 4; }
#define HAS_NONE(name) void *name(void) { return NULL; }

REFUSES(aom_codec_control)
REFUSES(aom_codec_dec_init_ver)
REFUSES(aom_codec_decode)
REFUSES(aom_codec_destroy)
REFUSES(aom_codec_enc_config_default)
REFUSES(aom_codec_enc_config_set)
REFUSES(aom_codec_enc_init_ver)
REFUSES(aom_codec_encode)
REFUSES(aom_codec_set_option)
HAS_NONE(aom_codec_av1_cx)
HAS_NONE(aom_codec_av1_dx)
HAS_NONE(aom_codec_get_cx_data)
HAS_NONE(aom_codec_get_frame)
HAS_NONE(aom_img_alloc)

void aom_img_free(void *image) { (void)image; }
int aom_codec_version(void) { return 0; }

const char *aom_codec_version_str(void) { return "none"; }
const char *aom_codec_error_detail(void) { return NULL; }
const char *aom_codec_error(void) { return "this program has no AV1 library"; }
const char *aom_codec_err_to_string(void) { return "this program has no AV1 library"; }
