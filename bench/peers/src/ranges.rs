//! Range allocators: crates offset-allocator and range-alloc, and the virtual blocks of VMA by vk-mem. A range is its
//! offset and 64 bits that the peer finds it by.
use offset_allocator::{Allocation, Allocator};
use range_alloc::RangeAllocator;
use std::mem::transmute;
use vk_mem::{VirtualAllocation, VirtualAllocationCreateFlags, VirtualAllocationCreateInfo};
use vk_mem::{VirtualBlock, VirtualBlockCreateFlags, VirtualBlockCreateInfo};

pub enum Ranges {
    Offset(Allocator<u32>),
    Vma(VirtualBlock),
    Fit(RangeAllocator<u32>),
}

/// Kinds are those of `peer_ranges_kind`.
#[no_mangle]
pub extern "C" fn peer_ranges_new(kind: u32, size: u32) -> *mut Ranges {
    let made = match kind {
        0 => Ranges::Offset(Allocator::with_max_allocs(size, 1 << 19)),
        1 => Ranges::Vma(
            VirtualBlock::new(VirtualBlockCreateInfo {
                size: size.into(),
                flags: VirtualBlockCreateFlags::empty(),
                allocation_callbacks: None,
            })
            .expect("a virtual block needs no device"),
        ),
        _ => Ranges::Fit(RangeAllocator::new(0..size)),
    };
    Box::into_raw(Box::new(made))
}

/// # Safety
/// `ranges` comes from `peer_ranges_new` and is not used afterwards.
#[no_mangle]
pub unsafe extern "C" fn peer_ranges_delete(ranges: *mut Ranges) {
    let mut ranges = Box::from_raw(ranges);
    if let Ranges::Vma(block) = &mut *ranges {
        block.clear();
    }
}

/// # Safety
/// `ranges` comes from `peer_ranges_new`; `offset` and `key` may be written.
#[no_mangle]
pub unsafe extern "C" fn peer_ranges_alloc(
    ranges: *mut Ranges,
    size: u32,
    offset: *mut u64,
    key: *mut u64,
) -> bool {
    match &mut *ranges {
        Ranges::Offset(a) => match a.allocate(size) {
            Some(made) => {
                *offset = made.offset.into();
                *key = transmute::<Allocation<u32>, u64>(made);
                true
            }
            None => false,
        },
        Ranges::Vma(block) => {
            let info = VirtualAllocationCreateInfo {
                size: size.into(),
                alignment: 1,
                flags: VirtualAllocationCreateFlags::empty(),
                user_data: 0,
            };
            match block.allocate(info) {
                Ok((made, at)) => {
                    *offset = at;
                    *key = transmute::<VirtualAllocation, u64>(made);
                    true
                }
                Err(_) => false,
            }
        }
        Ranges::Fit(a) => match a.allocate_range(size) {
            Ok(made) => {
                *offset = made.start.into();
                *key = made.end.into();
                true
            }
            Err(_) => false,
        },
    }
}

/// # Safety
/// `ranges` comes from `peer_ranges_new`, `offset` and `key` from `peer_ranges_alloc`.
#[no_mangle]
pub unsafe extern "C" fn peer_ranges_free(ranges: *mut Ranges, offset: u64, key: u64) {
    match &mut *ranges {
        Ranges::Offset(a) => a.free(transmute::<u64, Allocation<u32>>(key)),
        Ranges::Vma(block) => block.free(&mut transmute::<u64, VirtualAllocation>(key)),
        Ranges::Fit(a) => a.free_range(offset as u32..key as u32),
    }
}
