# SPDX-License-Identifier: GPL-2.0-only
# Changes a driver from vb2-vmalloc, vb2-dma-sg or vb2-dma-contig to
# videobuf2-dmabuf: sed -i -f drop-in.sed FILE.c; drop-in.md explains.

# vb2-vmalloc never looked at it; here it means that this device does DMA.
/vb2_vmalloc_memops/,/^}/s/->dev = [^;]*;/->dev = NULL;/

# Where contiguous memory was the only kind.
s/^\([[:space:]]*\)\(.*\)->mem_ops = &vb2_dma_contig_memops;/&\
\1\2->dma_attrs |= DMA_ATTR_FORCE_CONTIGUOUS;/

s/videobuf2-\(vmalloc\|dma-sg\|dma-contig\)\.h/videobuf2-dmabuf.h/
s/vb2_\(vmalloc\|dma_sg\|dma_contig\)_memops/vb2_dmabuf_memops/g
s/vb2_dma_contig_plane_dma_addr/vb2_dmabuf_plane_dma_addr/g
s/vb2_dma_sg_plane_desc/vb2_dmabuf_plane_sgt/g
s/vb2_dma_contig_set_max_seg_size/dma_set_max_seg_size/g

# What others are to see of a frame is moved there, and not in an interrupt.
/^static const struct vb2_ops .*{$/{
	i\
#include <media/videobuf2-dmabuf.h>
	:more
	N
	/\n};$/!b more
	/\.buf_finish/!s/\n};$/\
	.buf_finish = vb2_dmabuf_buf_finish,&/
}

# Not offered: an application's memory is no dma-buf.
s/VB2_USERPTR/VB2_DMABUF/g
