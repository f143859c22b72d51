//! Rust peers of the bench behind C functions; see `peers.h`.
mod belt;
mod ranges;

use slotmap::{DefaultKey, Key, KeyData, SlotMap};

pub struct Map(SlotMap<DefaultKey, u64>);

#[no_mangle]
pub extern "C" fn peer_slotmap_new() -> *mut Map {
    Box::into_raw(Box::new(Map(SlotMap::new())))
}

/// # Safety
/// `map` comes from `peer_slotmap_new` and is not used afterwards.
#[no_mangle]
pub unsafe extern "C" fn peer_slotmap_delete(map: *mut Map) {
    drop(Box::from_raw(map))
}

/// # Safety
/// `map` comes from `peer_slotmap_new`.
#[no_mangle]
pub unsafe extern "C" fn peer_slotmap_create(map: *mut Map, value: u64) -> u64 {
    (*map).0.insert(value).data().as_ffi()
}

/// # Safety
/// `map` comes from `peer_slotmap_new`.
#[no_mangle]
pub unsafe extern "C" fn peer_slotmap_destroy(map: *mut Map, key: u64) -> bool {
    (*map).0.remove(KeyData::from_ffi(key).into()).is_some()
}

/// # Safety
/// `map` comes from `peer_slotmap_new`.
#[no_mangle]
pub unsafe extern "C" fn peer_slotmap_get(map: *const Map, key: u64) -> *const u64 {
    (*map)
        .0
        .get(KeyData::from_ffi(key).into())
        .map_or(std::ptr::null(), |value| value)
}
