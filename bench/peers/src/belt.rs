//! StagingBelt of the crate wgpu: the belt is kept and recalled each frame, as its documentation says.
use std::ffi::{c_char, CStr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use wgpu::util::StagingBelt;
use wgpu::{Buffer, BufferSize, BufferUsages, Device, PollType, Queue};

pub struct Belt {
    device: Device,
    queue: Queue,
    belt: StagingBelt,
    target: Buffer,
    used: Buffer, // what each frame copies four bytes to, as all others do
    busy: bool,
    begun: u64,
    done: Arc<AtomicU64>,
}

fn make_buffer(device: &Device, size: u64, usage: BufferUsages) -> Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size,
        usage,
        mapped_at_creation: false,
    })
}

/// A device on the Vulkan adapter of this name: the one that the others run on.
fn open_device(adapter: &str) -> Option<(Device, Queue)> {
    let mut desc = wgpu::InstanceDescriptor::new_without_display_handle();
    desc.backends = wgpu::Backends::VULKAN;
    let instance = wgpu::Instance::new(desc);
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
    let adapter = adapters.into_iter().find(|x| x.get_info().name == adapter)?;
    let desc = wgpu::DeviceDescriptor {
        required_limits: adapter.limits(),
        ..Default::default()
    };
    pollster::block_on(adapter.request_device(&desc)).ok()
}

/// # Safety
/// `adapter` is a string of C.
#[no_mangle]
pub unsafe extern "C" fn peer_belt_open(
    adapter: *const c_char,
    size: u64,
    chunk: u64,
    busy: bool,
) -> *mut Belt {
    let name = CStr::from_ptr(adapter).to_string_lossy();
    let Some((device, queue)) = open_device(&name) else {
        return std::ptr::null_mut();
    };
    let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC;
    Box::into_raw(Box::new(Belt {
        belt: StagingBelt::new(device.clone(), chunk),
        target: make_buffer(&device, size, usage),
        used: make_buffer(&device, 4, BufferUsages::COPY_DST),
        device,
        queue,
        busy,
        begun: 0,
        done: Arc::new(AtomicU64::new(0)),
    }))
}

/// # Safety
/// `belt` comes from `peer_belt_open` and is not used afterwards.
#[no_mangle]
pub unsafe extern "C" fn peer_belt_close(belt: *mut Belt) {
    peer_belt_wait(belt, 0);
    drop(Box::from_raw(belt))
}

/// # Safety
/// `belt` comes from `peer_belt_open`; there are `count` offsets and `count * size` bytes of data.
#[no_mangle]
pub unsafe extern "C" fn peer_belt_frame(
    belt: *mut Belt,
    offsets: *const u64,
    count: u32,
    size: u32,
    data: *const u8,
) {
    let b = &mut *belt;
    let offsets = std::slice::from_raw_parts(offsets, count as usize);
    let data = std::slice::from_raw_parts(data, count as usize * size as usize);
    let each = BufferSize::new(size.into()).expect("a write has bytes");
    if b.busy {
        let mut encoder = b.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&b.target, 0, &b.used, 0, 4u64);
        b.queue.submit([encoder.finish()]);
    }
    let mut encoder = b.device.create_command_encoder(&Default::default());
    for (offset, bytes) in offsets.iter().zip(data.chunks_exact(size as usize)) {
        b.belt
            .write_buffer(&mut encoder, &b.target, *offset, each)
            .copy_from_slice(bytes);
    }
    encoder.copy_buffer_to_buffer(&b.target, 0, &b.used, 0, 4u64);
    b.belt.finish();
    b.queue.submit([encoder.finish()]);
    b.belt.recall();
    b.begun += 1;
    let done = b.done.clone();
    b.queue.on_submitted_work_done(move || {
        done.fetch_add(1, Ordering::Relaxed);
    });
}

/// Polls and sleeps as `bench_gpu_wait` does.
///
/// # Safety
/// `belt` comes from `peer_belt_open`.
#[no_mangle]
pub unsafe extern "C" fn peer_belt_wait(belt: *mut Belt, most: u64) {
    let b = &*belt;
    let mut polls = 0;
    while b.begun - b.done.load(Ordering::Relaxed) > most {
        b.device.poll(PollType::Poll).expect("the device is lost");
        polls += 1;
        if polls > 16 {
            std::thread::sleep(Duration::from_micros(5));
        }
    }
}

/// # Safety
/// `belt` comes from `peer_belt_open`; `to` has room for the whole buffer.
#[no_mangle]
pub unsafe extern "C" fn peer_belt_read(belt: *mut Belt, to: *mut u8) {
    let b = &*belt;
    let size = b.target.size();
    let read = make_buffer(&b.device, size, BufferUsages::COPY_DST | BufferUsages::MAP_READ);
    let mut encoder = b.device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(&b.target, 0, &read, 0, size);
    b.queue.submit([encoder.finish()]);
    read.slice(..).map_async(wgpu::MapMode::Read, |_| {});
    b.device.poll(PollType::wait_indefinitely()).expect("the device is lost");
    let view = read.slice(..).get_mapped_range().expect("the buffer is mapped");
    std::slice::from_raw_parts_mut(to, size as usize).copy_from_slice(&view);
}
