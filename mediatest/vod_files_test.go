package mediatest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestVOD_ImageAndAttachedMediaLife(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)

	image := c.ok(t, "CreateUploadImage", "ImageType", "cover", "ImageExt", "png", "Title", "T")
	status := func() any {
		return at(t, c.ok(t, "GetImageInfo", "ImageId", image.str("ImageId")), "ImageInfo", "Status")
	}
	require.Equal(t, "Uploading", status())
	put(t, srv, image, "12345678")
	require.Equal(t, "Normal", status())
	info := c.ok(t, "GetImageInfo", "ImageId", image.str("ImageId"))
	require.Equal(t, "8", at(t, info, "ImageInfo", "Mezzanine", "FileSize"))
	require.Equal(t, "cover", at(t, info, "ImageInfo", "ImageType"))
	require.Equal(t, image.str("ImageURL"), at(t, info, "ImageInfo", "URL"))

	attached := c.ok(t, "CreateUploadAttachedMedia", "BusinessType", "watermark", "MediaExt", "gif", "Title", "W")
	ids := attached.str("MediaId") + "," + image.str("ImageId") + ",nobody"
	list := func() answer { return c.ok(t, "GetAttachedMediaInfo", "MediaIds", ids) }
	require.Equal(t, "Uploading", at(t, list(), "AttachedMediaList", 0, "Status"))
	put(t, srv, attached, "gif")
	require.Equal(t, "Normal", at(t, list(), "AttachedMediaList", 0, "Status"))
	require.Equal(t, []any{image.str("ImageId"), "nobody"}, at(t, list(), "NonExistMediaIds"))
}
